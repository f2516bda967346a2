/** What the append bench uses of hypercore, which comes without types. */
declare module 'hypercore' {
  // eslint-disable-next-line no-restricted-exports -- the package exports nothing else
  export default class Hypercore {
    constructor(storage: string);
    readonly length: number;
    ready(): Promise<void>;
    get(index: number): Promise<Uint8Array>;
    append(blocks: readonly Uint8Array[]): Promise<unknown>;
    close(): Promise<void>;
  }
}
