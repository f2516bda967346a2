/** How likely work on a person is to matter (tracing.md, "Score"). It ranks; it does not diagnose. */
import type { Contact } from './contact.js';
import { contactsOf, otherSide } from './contact-graph.js';
import type { ContactGraph } from './contact-graph.js';
import type { Label } from './label.js';
import { isOpen } from './lens.js';
import type { Lens } from './lens.js';

/** Of immediate, near, medium and other. */
const BUCKET_WEIGHTS = [1, 0.8, 0.3, 0] as const;
const THETA_MINUTES = 90;

/** p = 1 − exp(−W/θ), W = Σ bucket weight × minutes, halved when only one side reported. */
export function transmissionWeight({ bucketSeconds, mutual }: Contact): number {
  const seconds = bucketSeconds.reduce(
    (sum, bucket, index) => sum + bucket * (BUCKET_WEIGHTS[index] ?? 0),
    0,
  );
  const minutes = seconds / 60 / (mutual ? 1 : 2);
  return 1 - Math.exp(-minutes / THETA_MINUTES);
}

/**
 * Of somebody reached in this round: 1 − Π (1 − score(u)·p(k)) over the usable contacts that are open from people reached
 * in earlier rounds. `labels` is the snapshot of the round before.
 */
export function scoreOf(
  person: number,
  graph: ContactGraph,
  labels: ReadonlyMap<number, Label>,
  lens: Lens,
): number {
  let escaped = 1;
  for (const contact of contactsOf(graph, person)) {
    const infector = labels.get(otherSide(graph, contact, person));
    if (infector === undefined || !lens.usable(contact) || !isOpenFrom(infector, contact, lens)) continue;
    const known = graph.contacts[contact];
    if (known) escaped *= 1 - infector.score * transmissionWeight(known);
  }
  return 1 - escaped;
}

function isOpenFrom({ arrivals }: Label, contact: number, lens: Lens): boolean {
  for (const arrival of arrivals.values()) if (isOpen(arrival, contact, lens)) return true;
  return false;
}
