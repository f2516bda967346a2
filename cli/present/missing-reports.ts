/** What it means for a list that the ledger has lost reports or approvals of gateways, or holds them damaged, and what to do, in one line. */
import pc from 'picocolors';
import { notReadInWords } from '../../tracer/looks/nobody-found.js';
import { callOf } from '../terminal/how-called.js';

/** No line where all could be read. */
export const missingReportsLines = (missingReports = 0): string[] =>
  missingReports === 0
    ? []
    : [
        pc.yellow(
          `${notReadInWords(missingReports)}, so people may be missing from this list: stop the ledger, see what is damaged with ` +
            `${callOf('ledger fsck --data-dir DIR')}, and once its folder is mended, stop the tracer, remove tracer/contacts, start it, and ask again`,
        ),
      ];
