/** The commands of `firebreak`, each in its own file. */
import { Command } from 'commander';
import { addAirCommands } from './commands/air.js';
import { addAuditCommand } from './commands/audit.js';
import { addAuthorityCommands } from './commands/authority.js';
import { addClusterCommand } from './commands/cluster.js';
import { addCityCommand } from './commands/city.js';
import { addTraceCityCommand } from './commands/trace-city.js';
import { addDemoCommand } from './commands/demo.js';
import { addEvidenceCommands } from './commands/evidence.js';
import { addGatewayCommands } from './commands/gateway.js';
import { addLedgerCommands } from './commands/ledger.js';
import { addTagCommands } from './commands/tag.js';
import { addTraceCommand } from './commands/trace.js';
import { addTracerCommands } from './commands/tracer.js';
import { addWitnessCommands } from './commands/witness.js';
import { EXIT_CODES } from './terminal/exit.js';
import { HELP } from './terminal/help.js';

const EXAMPLES = `
Start here:
  firebreak demo                             the whole path in one process, on a built-in scenario
  firebreak demo --contacts FILE --case ID   the same on recorded contacts

A deployment, one process a party, on one data folder:
  firebreak authority init --data-dir DIR    keys and settings
  firebreak ledger run, authority run, gateway run, air run, tag run, tracer run
  firebreak trace --data-dir DIR --case ID   who was in contact, in which order, and why
  firebreak audit --data-dir DIR --tag N     who looked at traces that reached this tag, when and why
  firebreak cluster --data-dir DIR --cases FILE   what several cases have in common
  firebreak evidence verify FILE --vkey KEY  what a trace showed, checked with nothing but the log’s key

A tracer at full size, on contacts that were made up:
  firebreak city --people N --days D --seed TEXT --out DIR, then trace-city DIR --case ID

A party of its own, which keeps the ledger from showing different logs to different people:
  firebreak witness init DIR --name NAME     then witness trust, witness run

Exit codes: ${EXIT_CODES}.
Of a status: 0 when its first line says well, 1 when it says anything else.`;

export function buildProgram(): Command {
  const program = new Command('firebreak')
    .description(
      'Contact tracing for wearable tags: sealed reports, a ledger anyone can audit, traces with evidence.',
    )
    .version('0.1.0')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(add --help for what this command takes)')
    .configureHelp(HELP)
    .exitOverride();
  addDemoCommand(program);
  addAuthorityCommands(program);
  addLedgerCommands(program);
  addGatewayCommands(program);
  addAirCommands(program);
  addTagCommands(program);
  addTracerCommands(program);
  addTraceCommand(program);
  addClusterCommand(program);
  addEvidenceCommands(program);
  addAuditCommand(program);
  addWitnessCommands(program);
  addCityCommand(program);
  addTraceCityCommand(program);
  return program;
}
