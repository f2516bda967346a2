/**
 * The floor plan, enforced: source imports point down the list of rooms, never up, and the rooms in the middle
 * never import each other (docs/README.md). Fails on any other arrow, on a cycle, and when it saw no modules at all.
 */
import { cruise } from 'dependency-cruiser';
import type { ICruiseResult, IForbiddenRuleType } from 'dependency-cruiser';

/** Top floor first: a room may import the rooms after it. */
const FLOORS: readonly (readonly string[])[] = [
  ['cli'],
  ['tracer', 'authority', 'ledger', 'witness', 'gateway', 'firmware-sim'],
  ['courier'],
  ['radio'],
  ['host'],
  ['protocol'],
];
const ROOMS = FLOORS.flat();
const IMPURE =
  'node:fs|node:net|node:http|node:timers|node:worker_threads|node:child_process|fs|net|http|timers';

const anyOf = (rooms: readonly string[]) => `^(${rooms.join('|')})/`;

function upwardRules(): IForbiddenRuleType[] {
  return FLOORS.slice(1).map((floor, index) => ({
    name: `${floor.join('-')}-imports-no-room-above`,
    severity: 'error',
    from: { path: anyOf(floor) },
    to: { path: anyOf(FLOORS.slice(0, index + 1).flat()) },
  }));
}

function neighbourRules(): IForbiddenRuleType[] {
  return (FLOORS[1] ?? []).map((room) => ({
    name: `${room}-imports-no-neighbour`,
    severity: 'error',
    from: { path: anyOf([room]) },
    to: { path: anyOf((FLOORS[1] ?? []).filter((other) => other !== room)) },
  }));
}

const rules: IForbiddenRuleType[] = [
  ...upwardRules(),
  ...neighbourRules(),
  {
    name: 'no-cycles',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'protocol-is-pure',
    severity: 'error',
    from: { path: '^protocol/' },
    to: { path: `^(${IMPURE})(/|$)` },
  },
  {
    name: 'rooms-import-no-tests',
    severity: 'error',
    from: { path: anyOf(ROOMS) },
    to: { path: anyOf(['test', 'bench', 'scripts']) },
  },
];

const { output } = await cruise(ROOMS, {
  ruleSet: { forbidden: rules },
  validate: true,
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  tsConfig: { fileName: 'tsconfig.json' },
});
const { summary, modules } = output as ICruiseResult;
const seen = ROOMS.map((room) => ({
  room,
  modules: modules.filter((m) => m.source.startsWith(`${room}/`)).length,
}));
const empty = seen.filter((entry) => entry.modules === 0).map((entry) => entry.room);

for (const violation of summary.violations) {
  console.error(`${violation.rule.name}: ${violation.from} → ${violation.to}`);
}
if (empty.length > 0) console.error(`no modules seen in: ${empty.join(', ')}`);
if (summary.violations.length > 0 || empty.length > 0) process.exit(1);
console.log(
  `rooms: ${seen.reduce((sum, entry) => sum + entry.modules, 0)} modules in ${seen.length} rooms, every import points down`,
);
