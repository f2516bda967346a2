/**
 * The login for a broker of somebody else that asks for one: the file `broker.login` in the data folder, mode 0600, with
 * the user name in its first line and the password in its second. Without it the ledger gives none, and writers give
 * their connect token (docs/protocol.md §13).
 */
import { readFile } from 'node:fs/promises';
import { isThere } from './is-there.js';
import type { BrokerLogin } from '../../courier/broker-url.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { DataFolder } from '../folder/folder.js';
import { requirePrivate } from './key-files.js';

/** `undefined` without the file. Throws `permission` when others can read it, `damaged` when it is no login; says nothing of what is inside. */
export async function readBrokerLogin({ brokerLogin }: DataFolder): Promise<BrokerLogin | undefined> {
  if (!(await isThere(brokerLogin))) return undefined;
  await requirePrivate(brokerLogin);
  const [username = '', password, ...rest] = (await readFile(brokerLogin, 'utf8')).trimEnd().split(/\r?\n/);
  if (username !== '' && password !== undefined && rest.length === 0) return { username, password };
  throw new FirebreakError(
    'damaged',
    `${brokerLogin} is no login: it must hold the user name in one line and the password in the next`,
  );
}
