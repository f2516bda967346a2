/**
 * What every air promises through radio/contract.ts. An implementation gives a stage: two radios in reach of each other, and a
 * way to let time pass. The GATT time-out of a stage is STAGE_TIMEOUT_MS of wall time, over
 * Bluetooth a little more.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FirebreakError } from '../../protocol/errors.js';
import type {
  AdvertiserSettings,
  Characteristic,
  Radio,
  ServerPeer,
  ServerSession,
  Sighting,
} from '../../radio/contract.js';

export const STAGE_TIMEOUT_MS = 1_000;

export interface RadioStage {
  readonly tag: Radio;
  readonly gateway: Radio;
  /** Lets time pass until `work` settles. */
  drive<T>(work: Promise<T>): Promise<T>;
  /** Lets this much deployment time pass. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const A: AdvertiserSettings = {
  address: 'c0ffee000001',
  advert: Uint8Array.of(2, 1, 6),
  txPowerDbm: 0,
  intervalMs: 20,
  phaseMs: 5,
  jitter: 0.1,
  connectable: true,
};
const B: AdvertiserSettings = {
  ...A,
  address: 'c0ffee000002',
  advert: Uint8Array.of(2, 1, 6, 3, 3, 0xb1, 0xff),
};

/** A server that remembers what it was asked. */
class Desk {
  readonly written: { characteristic: Characteristic; value: Uint8Array }[] = [];
  readonly peers: ServerPeer[] = [];
  closed = 0;
  hello = Uint8Array.from({ length: 408 }, (_, i) => i & 0xff);
  onWrite: (value: Uint8Array) => Promise<void> = async () => undefined;

  accept = (peer: ServerPeer): ServerSession => {
    this.peers.push(peer);
    return {
      onRead: async () => this.hello,
      onWrite: async (characteristic, value) => {
        this.written.push({ characteristic, value });
        await this.onWrite(value);
      },
      onClosed: () => void (this.closed += 1),
    };
  };
}

const coded = (code: string) => expect.objectContaining({ name: 'FirebreakError', code }) as unknown;

export function radioContract(name: string, open: () => Promise<RadioStage>): void {
  describe(`${name} keeps the radio contract`, () => {
    let stage: RadioStage;
    let desk: Desk;
    beforeEach(async () => {
      stage = await open();
      desk = new Desk();
    });
    afterEach(() => stage.close());

    const until = async (what: () => boolean): Promise<void> => {
      for (let tries = 0; !what(); tries++) {
        expect(tries, 'waited too long').toBeLessThan(500);
        await stage.pass(10);
      }
    };
    const listen = async (): Promise<Sighting[]> => {
      const heard: Sighting[] = [];
      await stage.drive(stage.tag.scanner.start((sighting) => heard.push(sighting)));
      return heard;
    };
    const serve = async (): Promise<void> => {
      await stage.drive(stage.gateway.server.start(desk.accept));
      await stage.drive(stage.gateway.advertiser.set(A));
    };
    const connected = async () => {
      await serve();
      return stage.drive(stage.tag.central.connect(A.address));
    };

    it('hears an advert as it was sent', async () => {
      const heard = await listen();
      await stage.drive(stage.gateway.advertiser.set(A));
      await until(() => heard.length >= 2);
      expect(heard[0]).toMatchObject({ address: A.address, advert: A.advert });
      expect(heard[0]?.rssiDbm === undefined || Number.isInteger(heard[0]?.rssiDbm)).toBe(true);
      expect(heard[1]?.heardAtMs).toBeGreaterThan(heard[0]?.heardAtMs ?? Infinity);
    });

    it('replaces an advert together with its address', async () => {
      const heard = await listen();
      await stage.drive(stage.gateway.advertiser.set(A));
      await until(() => heard.length >= 1);
      await stage.drive(stage.gateway.advertiser.set(B));
      const before = heard.length;
      await until(() => heard.length >= before + 3);
      for (const sighting of heard) {
        const sent = sighting.address === A.address ? A : B;
        expect(sighting).toMatchObject({ address: sent.address, advert: sent.advert });
      }
      expect(heard.slice(before).map((sighting) => sighting.address)).not.toContain(A.address);
    });

    it('hears nothing once the advertiser or the scanner stopped', async () => {
      const heard = await listen();
      await stage.drive(stage.gateway.advertiser.set(A));
      await until(() => heard.length >= 1);
      await stage.drive(stage.gateway.advertiser.stop());
      const silent = heard.length;
      await stage.pass(100);
      expect(heard.length).toBe(silent);
      await stage.drive(stage.tag.scanner.stop());
      await stage.drive(stage.gateway.advertiser.set(A));
      await stage.pass(100);
      expect(heard.length).toBe(silent);
    });

    it('refuses a second listener while there is one', async () => {
      await listen();
      await expect(stage.drive(stage.tag.scanner.start(() => undefined))).rejects.toEqual(coded('exists'));
    });

    it.each([
      ['an advert of 32 bytes', { ...A, advert: new Uint8Array(32) }, 'size'],
      ['an address that is none', { ...A, address: 'C0:FF:EE:00:00:01' }, 'format'],
      ['an interval of nothing', { ...A, intervalMs: 0 }, 'format'],
    ])('refuses to advertise %s', async (_, settings, code) => {
      await expect(stage.drive(stage.tag.advertiser.set(settings))).rejects.toEqual(coded(code));
    });

    it('reads a long attribute, writes in order and is notified', async () => {
      const link = await connected();
      const notified: Uint8Array[] = [];
      await stage.drive(link.subscribe('receipt', (value) => notified.push(value)));
      expect(await stage.drive(link.read('hello'))).toEqual(desk.hello);
      desk.onWrite = async (value) => desk.peers[0]?.notify('receipt', Uint8Array.of(...value, 99));
      const writes = [1, 2, 3].map((n) => link.write('upload', Uint8Array.of(n)));
      await stage.drive(Promise.all(writes));
      expect(desk.written.map(({ value }) => value[0])).toEqual([1, 2, 3]);
      await until(() => notified.length === 3);
      expect(notified).toEqual([1, 2, 3].map((n) => Uint8Array.of(n, 99)));
    });

    it('hands over bytes that the sender may reuse', async () => {
      const link = await connected();
      const value = Uint8Array.of(7);
      const writing = link.write('upload', value);
      value[0] = 8;
      await stage.drive(writing);
      expect(desk.written[0]?.value[0]).toBe(7);
    });

    it('finds nobody at an unknown, a silent or an unconnectable address', async () => {
      await expect(stage.drive(stage.tag.central.connect('000000000001'))).rejects.toEqual(
        coded('unreachable'),
      );
      await stage.drive(stage.gateway.advertiser.set(A));
      await expect(stage.drive(stage.tag.central.connect(A.address))).rejects.toEqual(coded('unreachable'));
      await serve();
      await stage.drive(stage.gateway.advertiser.set({ ...A, connectable: false }));
      await expect(stage.drive(stage.tag.central.connect(A.address))).rejects.toEqual(coded('unreachable'));
    });

    it('hands a refusal to connect to the client', async () => {
      const refuse = (): never => {
        throw new FirebreakError('busy', 'one at a time');
      };
      await stage.drive(stage.gateway.server.start(refuse));
      await stage.drive(stage.gateway.advertiser.set(A));
      await expect(stage.drive(stage.tag.central.connect(A.address))).rejects.toEqual(coded('busy'));
    });

    it('hands a refusal to the client and keeps the connection', async () => {
      const link = await connected();
      desk.onWrite = async () => Promise.reject(new FirebreakError('session', 'not this nonce'));
      await expect(stage.drive(link.write('upload', Uint8Array.of(1)))).rejects.toEqual(coded('session'));
      desk.onWrite = async () => Promise.reject(new Error('a secret'));
      const failed: unknown = await stage
        .drive(link.write('upload', Uint8Array.of(1)))
        .catch((e: unknown) => e);
      expect(failed).toEqual(coded('unreachable'));
      expect(String(failed)).not.toContain('secret');
      expect(await stage.drive(link.read('hello'))).toEqual(desk.hello);
    });

    it('refuses what one packet does not hold and sends nothing of it', async () => {
      const link = await connected();
      const tooLong = new Uint8Array(link.payloadBytes + 1);
      await expect(stage.drive(link.write('upload', tooLong))).rejects.toEqual(coded('size'));
      await stage.drive(link.write('upload', tooLong.subarray(1)));
      expect(desk.written.map(({ value }) => value.length)).toEqual([link.payloadBytes]);
      await expect(stage.drive(desk.peers[0]!.notify('receipt', tooLong))).rejects.toEqual(coded('size'));
      desk.hello = new Uint8Array(513);
      await expect(stage.drive(link.read('hello'))).rejects.toEqual(coded('unreachable'));
    });

    it('tells the server when nobody subscribed', async () => {
      await connected();
      const notifying = desk.peers[0]!.notify('receipt', Uint8Array.of(1));
      await expect(stage.drive(notifying)).rejects.toEqual(coded('unreachable'));
    });

    it('ends at both sides when the client closes', async () => {
      const link = await connected();
      await stage.drive(link.close());
      await stage.drive(link.closed);
      await until(() => desk.closed === 1);
      await expect(stage.drive(link.read('hello'))).rejects.toEqual(coded('closed'));
      await expect(stage.drive(desk.peers[0]!.notify('receipt', Uint8Array.of(1)))).rejects.toEqual(
        coded('closed'),
      );
      await stage.drive(link.close());
      expect(desk.closed).toBe(1);
    });

    it.each([
      ['disconnects', () => stage.drive(desk.peers[0]!.disconnect())],
      ['stops serving', () => stage.drive(stage.gateway.server.stop())],
      ['dies', () => stage.gateway.close()],
    ])('ends at the client when the server %s', async (_, end) => {
      const link = await connected();
      await end();
      await stage.drive(link.closed);
      await expect(stage.drive(link.read('hello'))).rejects.toEqual(coded('closed'));
    });

    it('ends at the server when the client dies', async () => {
      await connected();
      await stage.tag.close();
      await until(() => desk.closed === 1);
    });

    it('fails the call under way when the server dies', async () => {
      const link = await connected();
      desk.onWrite = () => new Promise(() => undefined);
      const writing = stage.drive(link.write('upload', Uint8Array.of(1)).catch((error: unknown) => error));
      setTimeout(() => void stage.gateway.close(), 20);
      expect(await writing).toEqual(coded('closed'));
    });

    it('times out on a server that does not answer, and closes', async () => {
      const link = await connected();
      desk.onWrite = () => new Promise(() => undefined);
      await expect(stage.drive(link.write('upload', Uint8Array.of(1)))).rejects.toEqual(coded('timeout'));
      await stage.drive(link.closed);
      await until(() => desk.closed === 1);
    });

    it('bounds how many calls wait on one connection', async () => {
      const link = await connected();
      desk.onWrite = () => new Promise(() => undefined);
      const calls = Array.from({ length: 80 }, () => link.write('upload', Uint8Array.of(1)));
      const outcomes = await stage.drive(
        Promise.all(calls.map((call) => call.catch((error: unknown) => error))),
      );
      const codes = outcomes.map((outcome) => (outcome instanceof FirebreakError ? outcome.code : 'none'));
      expect(codes.filter((code) => code === 'full')).toHaveLength(16);
      expect(new Set(codes)).toEqual(new Set(['timeout', 'closed', 'full']));
    });

    it('gives up connecting when told to', async () => {
      const hang = (): Promise<ServerSession> => new Promise(() => undefined);
      await stage.drive(stage.gateway.server.start(hang));
      await stage.drive(stage.gateway.advertiser.set(A));
      const abort = new AbortController();
      const connecting = stage.tag.central.connect(A.address, abort.signal).catch((error: unknown) => error);
      setTimeout(() => abort.abort(new Error('enough')), 40);
      expect(await stage.drive(connecting)).toEqual(new Error('enough'));
      await expect(stage.drive(stage.tag.central.connect(A.address, abort.signal))).rejects.toThrow('enough');
    });

    it('takes a new client where one left', async () => {
      const first = await connected();
      await stage.drive(first.close());
      const second = await stage.drive(stage.tag.central.connect(A.address));
      expect(await stage.drive(second.read('hello'))).toEqual(desk.hello);
    });
  });
}
