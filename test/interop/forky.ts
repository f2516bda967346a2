/**
 * Other people's C2SP software is newer than the Debian that runs here, so it comes from Debian's next release. Named packages
 * are fetched by an apt that keeps its lists apart from the system's, checked by it against Debian's keys, and unpacked into a
 * cache folder: nothing is installed, nothing on the system changes, and it needs no root.
 *
 * Tried with torchwood 0.9.0, Tessera 1.0.4 and Go 1.27, in November 2026. Where Debian renamed a package, or a library imports one
 * more, apt or Go names what is missing in the list below.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'firebreak-interop');
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const MIRROR = 'http://deb.debian.org/debian';
/** The second is where a package is that the first lacks for a while. */
const SUITES = ['forky', 'sid'] as const;
const FETCH_TIMEOUT_MS = 280_000;

/** Programs, the libraries that programs of ours are built with, and all that these import: one package each. */
const PACKAGES = [
  'torchwood',
  'golang-filippo-torchwood-dev',
  'golang-github-transparency-dev-tessera-dev',
  'golang-github-transparency-dev-formats-dev',
  'golang-github-transparency-dev-merkle-dev',
  'golang-golang-x-crypto-dev',
  'golang-golang-x-exp-dev',
  'golang-golang-x-mod-dev',
  'golang-golang-x-sync-dev',
  'golang-github-avast-retry-go-dev',
  'golang-github-cenkalti-backoff-v5-dev',
  'golang-github-cespare-xxhash-v2-dev',
  'golang-github-go-logr-logr-dev',
  'golang-github-go-logr-stdr-dev',
  'golang-github-hashicorp-golang-lru-v2-dev',
  'golang-github-robinus2-golang-moving-average-dev',
  'golang-k8s-klog-dev',
  'golang-opentelemetry-otel-dev',
] as const;

interface Forky {
  /** Of the unpacked packages: `usr/…` is below it. */
  readonly root: string;
  /** The version of Go in it, as in `usr/lib/go-1.26`. */
  readonly go: string;
  /** For Go's build cache; kept from run to run. */
  readonly goCache: string;
}

/** Fetches what the cache does not hold. Throws, saying what must be reachable. */
export async function forky(): Promise<Forky> {
  const name = createHash('sha256').update(PACKAGES.join(' ')).digest('hex').slice(0, 12);
  const folder = join(CACHE, name);
  const root = join(folder, 'root');
  if (!(await exists(root))) await fetchInto(folder, root);
  const go = (await readdir(join(root, 'usr/lib'))).find((entry) => /^go-\d/.test(entry));
  if (go === undefined) throw new Error(`there is no Go in ${root}: remove ${folder} and run this again`);
  return { root, go: go.slice('go-'.length), goCache: join(folder, 'go-build') };
}

/** Filled beside its place and moved there whole: two runs at once cannot meet half of it. */
async function fetchInto(folder: string, root: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const draft = await mkdtemp(join(folder, 'draft-'));
  try {
    await fetchFromEither(draft);
    await rename(join(draft, 'root'), root).catch(async (error: unknown) => {
      if (!(await exists(root))) throw error; // another run was first
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function fetchFromEither(draft: string): Promise<void> {
  const failures: string[] = [];
  for (const suite of SUITES) {
    try {
      await fetchFrom(suite, join(draft, suite));
      await rename(join(draft, suite, 'root'), join(draft, 'root'));
      return;
    } catch (error) {
      failures.push(`${suite}: ${String((error as { stderr?: unknown }).stderr ?? error).trim()}`);
    }
  }
  throw new Error(
    `these tests need C2SP software of others out of Debian's ${SUITES.join(' or ')}, which could not be fetched from ` +
      `${MIRROR}; is it reachable, and is the package debian-archive-keyring here?\n${failures.join('\n')}`,
  );
}

async function fetchFrom(suite: string, folder: string): Promise<void> {
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'debs', 'root'])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'sources.list'), `deb [signed-by=${KEYS}] ${MIRROR} ${suite} main\n`);
  const ownApt = ownAptOptions(folder);
  const options = { cwd: join(folder, 'debs'), timeout: FETCH_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
  await run('apt-get', [...ownApt, 'update', '-q'], options);
  const { stdout } = await run('apt-cache', [...ownApt, 'show', 'golang-go'], options);
  const [go] = /golang-\d+\.\d+-go\b/.exec(stdout) ?? [];
  if (go === undefined) throw new Error('golang-go names no version of Go');
  const names = [...PACKAGES, go, go.replace(/-go$/, '-src')];
  await run('apt-get', [...ownApt, 'download', '-q', ...names], options);
  for (const deb of await readdir(options.cwd))
    await run('dpkg-deb', ['-x', deb, join(folder, 'root')], options);
  await rm(join(folder, 'root/usr/share/doc'), { recursive: true, force: true });
  await rm(join(folder, 'root/usr/share', go.replace('golang', 'go').replace(/-go$/, ''), 'test'), {
    recursive: true,
    force: true,
  });
}

/** It reads the system's settings (a proxy, say), and neither its sources nor its lists. */
function ownAptOptions(folder: string): string[] {
  const settings = [
    `Dir::State=${join(folder, 'state')}`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${join(folder, 'cache')}`,
    `Dir::Etc::SourceList=${join(folder, 'sources.list')}`,
    'Dir::Etc::SourceParts=/dev/null',
    'Dir::Etc::Preferences=/dev/null',
    'Dir::Etc::PreferencesParts=/dev/null',
    'Acquire::Languages=none',
    'APT::Sandbox::User=root',
    'APT::Update::Error-Mode=any',
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
