/** Other people's software, from Debian: what is missing is installed when that is possible, and asked for when not. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 550_000;

export interface DebianPackage {
  readonly name: string;
  /** A file that is there when the package is. */
  readonly file: string;
}

const isMissing = async ({ file }: DebianPackage) =>
  access(file).then(
    () => false,
    () => true,
  );

async function missingOf(packages: readonly DebianPackage[]): Promise<string[]> {
  const missing = await Promise.all(packages.map(isMissing));
  return packages.filter((_, index) => missing[index]).map(({ name }) => name);
}

/** Throws with the command to type when packages are missing and this user may not install them. */
export async function requirePackages(packages: readonly DebianPackage[]): Promise<void> {
  const missing = await missingOf(packages);
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) throw new Error(`these tests need Debian packages; run: sudo ${command}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, timeout: INSTALL_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
  await run('apt-get', ['update', '-qq'], options);
  await run('apt-get', command.split(' ').slice(1), options);
  const still = await missingOf(packages);
  if (still.length > 0) throw new Error(`apt-get did not install ${still.join(', ')}`);
}
