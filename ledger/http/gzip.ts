/**
 * Entry bundles packed for clients that take gzip (C2SP tlog-tiles asks for it; RFC 9110 §8.4.1): a full one
 * shrinks by a third in less than a millisecond of another thread. Tiles are hashes, and do not shrink. Only
 * so many bundles are packed at once; the others of a flood are sent as they are, which every client can
 * read.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const AT_ONCE = 2;
/** Higher levels take longer and save another hundredth: most of an entry is hashes. */
const LEVEL = 1;
const gzipAsync = promisify(gzip);

/** Whether an Accept-Encoding takes gzip (RFC 9110 §12.5.3). */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of (acceptEncoding ?? '').toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((word) => word.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    weights.set(coding === 'x-gzip' ? 'gzip' : coding, Number(weight));
  }
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}

/** One server's packing. */
export class BundleGzip {
  #underWay = 0;

  /** The bundle packed; `undefined` when that does not pay, or too many are being packed already. */
  async pack(bundle: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#underWay >= AT_ONCE) return undefined;
    this.#underWay += 1;
    try {
      const packed = await gzipAsync(bundle, { level: LEVEL });
      return packed.length < bundle.length ? packed : undefined;
    } finally {
      this.#underWay -= 1;
    }
  }
}
