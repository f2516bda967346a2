/** The one gateway of a replay: certified, known to the ledger, in possession of the day keys, in reach of every tag. */
import { randomBytes } from 'node:crypto';
import type { Uplink } from '../../courier/uplink.js';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';
import type { Gateway } from '../../gateway/gateway.js';
import type { VirtualClock } from '../../host/clock-virtual.js';
import { toHex } from '../../protocol/bytes.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import type { Central, RadioAddress } from '../../radio/contract.js';
import { writeAtomically } from '../files/atomic-file.js';
import { signerFrom } from '../folder/deployment.js';
import { gatewayFolder } from '../folder/folder.js';
import { createKeyFile } from '../files/key-files.js';
import type { RunningAuthority } from '../parts/authority.js';
import { openTogether } from '../parts/context.js';
import type { PartContext } from '../parts/context.js';
import { startGateway } from '../parts/gateway.js';
import { startWriter } from '../parts/writer.js';
import type { Writer } from '../parts/writer.js';
import { keepDays } from './days.js';

const NAME = 'hub-1';
export const SESSIONS_AT_ONCE = 32;
/** In a replay every tag knows where the gateway is: hardly anyone need be told. */
const ADVERT_INTERVAL_MS = 86_400_000;

export interface HubGiven {
  readonly clock: VirtualClock;
  readonly running: RunningAuthority;
  readonly recording: ContactRecording;
  readonly mqttUrl: string;
  readonly throughUplink: ((uplink: Uplink) => Uplink) | undefined;
}

export interface Hub {
  readonly gateway: Gateway;
  readonly writer: Writer;
  readonly address: RadioAddress;
  /** A place on the air for the tags to connect from. */
  readonly central: Central;
  readonly close: () => Promise<void>;
}

export function openHub(context: PartContext, given: HubGiven): Promise<Hub> {
  const { clock, running, recording, mqttUrl, throughUplink } = given;
  const own = gatewayFolder(context.folder, NAME);
  return openTogether(context.log, async (onClose) => {
    await createKeyFile(own.key);
    const signer = await signerFrom(own.key);
    const certificate = certificateOf(signer, running, own.certificate);
    await certificate.renew();
    await running.writer.courier.drained(context.signal); // the ledger knows a gateway by its entry
    const through = throughUplink && { throughUplink };
    const writer = await startWriter(context, { signer, spoolDir: own.spool, mqttUrl, ...through });
    onClose(writer.close);
    const air = openReplayAir({ clock, contacts: [] });
    onClose(() => air.close());
    const address = toHex(randomBytes(6));
    const maxSessions = 2 * SESSIONS_AT_ONCE;
    const advertIntervalMs = ADVERT_INTERVAL_MS;
    const given = {
      signer,
      certificate: certificate.current,
      radio: air.join(NAME),
      writer,
      address,
      maxSessions,
      advertIntervalMs,
    };
    const gateway = await startGateway(context, own, given);
    onClose(() => gateway.close());
    const gatewayStatus = () => gateway.status();
    await keepDays({
      clock,
      recording,
      running,
      signal: context.signal,
      gatewayStatus,
      certify: certificate.renew,
    });
    return { gateway, writer, address, central: air.join('tags').central };
  });
}

/** Seven days at a time, as the authority gives them. */
function certificateOf({ publicKey }: Signer, { authority }: RunningAuthority, file: string) {
  let newest = new Uint8Array(0);
  const renew = async (): Promise<void> => {
    newest = new Uint8Array(await authority.addGateway(publicKey, NAME));
    await writeAtomically(file, newest);
  };
  return { renew, current: () => newest };
}
