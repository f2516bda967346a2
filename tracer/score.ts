/** How likely work on a person is to matter (tracing.md, "Score"). It ranks; it does not diagnose. */
import type { Contact } from './contact.js';
import type { ContactGraph } from './contact-graph.js';
import { contactsOf, isOpen, otherSide } from './walk.js';
import type { Label, Lens } from './walk.js';

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

/** 1 − Π (1 − score(u)·p(k)) over the contacts open from people reached in earlier rounds, under their labels of then. */
export function scoreOf(
  person: number,
  graph: ContactGraph,
  labels: ReadonlyMap<number, Label>,
  lens: Lens,
): number {
  let escaped = 1;
  for (const contact of contactsOf(graph, person)) {
    const infector = labels.get(otherSide(graph, contact, person));
    if (infector === undefined || !lens.usable(contact)) continue;
    if (!infector.arrivals.some((arrival) => isOpen(arrival, contact, lens))) continue;
    const known = graph.contacts[contact];
    if (known) escaped *= 1 - infector.score * transmissionWeight(known);
  }
  return 1 - escaped;
}
