/** From an adapter's name to a controller that answers. */
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { AdapterName } from './adapter-name.js';
import { adapterText } from './adapter-name.js';
import { Controller } from './controller.js';
import { OPCODE } from './hci-packets.js';
import type { HciWire, WireEvents } from './hci-wire.js';
import { freshAddress } from './private-commands.js';
import type { ScanDuty } from './private-commands.js';
import type { StackName } from './stack.js';
import { kernelAdapters, openKernelWire, openUartWire } from './wire-driver.js';
import { openUnixWire } from './wire-unix.js';

export interface AdapterDeps {
  readonly stack: StackName;
  readonly log: Log;
  readonly duty: ScanDuty;
}

export interface OpenAdapter {
  readonly controller: Controller;
  /** The adapter's own address, as a RadioAddress: tells whether two names mean one adapter. Never sent. */
  readonly address: string;
}

/** Rejects with `not-found`, `unreachable`, `permission` or `usage`, and the command that mends it. */
export async function openAdapter(name: AdapterName, deps: AdapterDeps): Promise<OpenAdapter> {
  if (name.kind === 'address') return openByAddress(name, deps);
  const controller = new Controller(deps.log, deps.duty);
  controller.attach(await openWire(name, deps, eventsOf(controller)));
  try {
    const address = await ownAddress(controller);
    await controller.command(OPCODE.setRandomAddress, freshAddress()); // needs rights that reading does not
    return { controller, address };
  } catch (cause) {
    controller.close();
    if (cause instanceof FirebreakError && cause.code === 'permission') throw cause;
    throw new FirebreakError(
      'unreachable',
      `the controller ${adapterText(name)} does not answer; plug it in again`,
      {
        cause,
      },
    );
  }
}

function openWire(
  name: Exclude<AdapterName, { kind: 'address' }>,
  deps: AdapterDeps,
  events: WireEvents,
): Promise<HciWire> {
  switch (name.kind) {
    case 'unix':
      return openUnixWire(name.path, events);
    case 'index':
      return Promise.resolve(openKernelWire(deps.stack, name.index, events));
    case 'uart':
      if (deps.stack === 'stoprocent') return openUartWire(name.port, name.baudRate, events);
      throw new FirebreakError(
        'usage',
        `${adapterText(name)} is a serial port, which the abandonware stack does not drive; choose the other with: --ble-stack stoprocent`,
      );
  }
}

/** The kernel says no adapter's address before it is opened. */
async function openByAddress(
  name: Extract<AdapterName, { kind: 'address' }>,
  deps: AdapterDeps,
): Promise<OpenAdapter> {
  for (const index of kernelAdapters(deps.stack)) {
    const open = await openAdapter({ kind: 'index', index }, deps).catch((error: unknown) =>
      onlyIfDown(error),
    );
    if (open?.address === name.address) return open;
    open?.controller.close();
  }
  throw new FirebreakError(
    'not-found',
    `there is no adapter with the address ${adapterText(name)} that is up; list them with: hciconfig -a`,
  );
}

/** While looking for one adapter, another may be down. */
function onlyIfDown(error: unknown): undefined {
  if (!(error instanceof FirebreakError && error.code === 'unreachable')) throw error;
}

function eventsOf(controller: Controller): WireEvents {
  return {
    onPacket: (packet) => controller.fromWire(packet),
    onUp: (isUp) => controller.wireChanged(isUp),
    onError: (error) => controller.wireFailed(error),
  };
}

/** HCI_Read_BD_ADDR (7.4.6): status, then the address, last byte first. */
async function ownAddress(controller: Controller): Promise<string> {
  const answer = await controller.ask(OPCODE.readAddress, Buffer.alloc(0));
  return Buffer.from(answer.subarray(1, 7)).reverse().toString('hex');
}
