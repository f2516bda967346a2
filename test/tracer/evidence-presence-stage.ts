/** People who were seen at gateways, on a log of real sealed reports. */
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { gatewayEntry, NOON, presenceOf, presenceReportOf, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';

export const otherGateway = fastSigner(sha256(Buffer.from('other gateway')));

const HOUR = 3_600;

/**
 * 1 waits at a gateway for three quarters of an hour, 2 is there for twenty minutes of it; 2 meets 3 two hours later; 3 and 4
 * are at another gateway in the evening. 9 is at both all the time that they report of, and reached from nobody: one to be left
 * out. Entries of others lie in between.
 */
export function clinic(): MemoryLog {
  const log = new MemoryLog().fill(2);
  const at = (seconds: number): number => NOON + seconds;
  log.append(gatewayEntry());
  log.append(gatewayEntry(undefined, { of: otherGateway }));
  const nine = (start: number) => presenceOf(9, start, 300);
  const quarters = [
    [presenceOf(1, at(0), 890), nine(at(0)), presenceOf(2, at(300), 600)],
    [presenceOf(2, at(905), 595), presenceOf(1, at(900), 890)],
    [nine(at(1_800)), presenceOf(1, at(1_800), 900)],
  ];
  quarters.forEach((records, k) => log.append(presenceReportOf(records, at(900 * k + 1_020))));
  log.fill(3, 1);
  log.append(reportOf({ tag: 2, records: [recordOf(3, at(2 * HOUR), 900)], at: at(3 * HOUR) }));
  const evening = [nine(at(5 * HOUR)), presenceOf(4, at(5 * HOUR), 895), presenceOf(3, at(5 * HOUR), 900)];
  log.append(presenceReportOf(evening, at(5 * HOUR + 1_020), otherGateway));
  return log.fill(2, 2);
}
