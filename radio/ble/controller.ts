/**
 * One Bluetooth controller between its wire and the library (noble or bleno) that drives it. The library believes that it
 * holds an HCI socket (hci-socket.ts); everything it writes and everything the controller says comes through here, where
 *
 * - commands of our own fit in between (command-lane.ts), and the library's are kept from telling the adapter's address,
 * - adverts are read, which the library gives only in part, and handed to it only for addresses it should connect to: it
 *   never forgets an address, and a hostile advertiser has as many as it likes,
 * - attribute errors are seen, which noble swallows,
 * - nothing that a peer sends reaches the library before it is whole and of a sensible size, and a library that throws at
 *   it costs the peer its connection and nobody else anything.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { AclFrames, CHANNEL_ATT, aclPacket } from './acl-frames.js';
import { CommandLane } from './command-lane.js';
import {
  CONNECT_CANCELLED,
  OPCODE,
  PACKET_ACL,
  PACKET_COMMAND,
  commandPacket,
  disconnectedEvent,
  doneEvent,
  opcodeOf,
  readEvent,
} from './hci-packets.js';
import type { AdvertReport, HciEvent } from './hci-packets.js';
import type { HciWire } from './hci-wire.js';
import { isOfRights, rightsError } from './wire-driver.js';
import { AdvertisingGuard, keepPrivate } from './private-commands.js';
import type { ScanDuty } from './private-commands.js';

export interface ControllerEvents {
  onAdvert?(report: AdvertReport): void;
  onConnected?(handle: number, isServer: boolean): void;
  onDisconnected?(handle: number): void;
  /** A whole PDU of the attribute protocol from the peer. */
  onAttribute?(handle: number, pdu: Buffer): void;
  /** The controller went away, or came back without its state. */
  onUp?(isUp: boolean): void;
}

const SUCCESS = 0x00;
const REMOTE_USER_ENDED = 0x13;
/** A controller that does not confirm a disconnection in this time has lost the link already. */
const DISCONNECT_MS = 1_000;
/** Longer than the second at which the libraries look whether the controller is up: they must see it down. */
const OUTAGE_MS = 2_200;

export class Controller {
  /** What the library hears. */
  onPacket: (packet: Buffer) => void = () => undefined;
  events: ControllerEvents = {};
  /** The only address whose adverts the library should hear of. */
  wanted: string | undefined;
  readonly #log: Log;
  readonly #duty: ScanDuty;
  readonly #lane: CommandLane;
  readonly #frames = new AclFrames();
  readonly #guard = new AdvertisingGuard();
  /** Handles of open connections; whether we are the server in each. */
  readonly #open = new Map<number, boolean>();
  readonly #ending = new Map<number, NodeJS.Timeout>();
  #wire: HciWire | undefined;
  /** The number of the connection attempt under way; 0 when there is none. */
  #connecting = 0;
  #attempts = 0;
  /** Reset once since it came up. The maintained noble resets before each connection, which would end all else it does. */
  #wasReset = false;
  /** The answer to the last LE Set Scan Enable that the library wrote since it was told to switch its scan. */
  #scanSwitch: { answer?: Promise<Buffer> } = {};
  #outage: NodeJS.Timeout | undefined;

  constructor(log: Log, duty: ScanDuty) {
    this.#log = log;
    this.#duty = duty;
    this.#lane = new CommandLane((packet) => this.#sendCommand(packet));
  }

  attach(wire: HciWire): void {
    this.#wire = wire;
  }

  isUp(): boolean {
    return this.#wire?.isUp() === true && this.#outage === undefined;
  }

  get isServing(): boolean {
    return [...this.#open.values()].includes(true);
  }

  close(): void {
    this.#wire?.close();
    this.#wire = undefined;
    this.#lane.clear();
    clearTimeout(this.#outage);
    for (const timer of this.#ending.values()) clearTimeout(timer);
  }

  /** Sends a command of our own. Resolves to its status; rejects with `timeout`, `closed` or `full`. */
  async command(opcode: number, parameters: Uint8Array): Promise<number> {
    return (await this.ask(opcode, parameters)).at(0) ?? SUCCESS;
  }

  /** As command(), for commands that return more than a status. */
  ask(opcode: number, parameters: Uint8Array): Promise<Buffer> {
    if (!this.isUp()) return Promise.reject(new FirebreakError('closed', 'the Bluetooth controller is gone'));
    return this.#lane.ask(commandPacket(opcode, parameters));
  }

  /** Ends a connection; when the controller does not confirm, it is taken for ended. */
  disconnect(handle: number): void {
    if (!this.#open.has(handle) || this.#ending.has(handle)) return;
    const timer = setTimeout(() => this.fromWire(disconnectedEvent(handle)), DISCONNECT_MS);
    this.#ending.set(handle, timer);
    const parameters = Buffer.of(handle & 0xff, handle >> 8, REMOTE_USER_ENDED);
    this.command(OPCODE.disconnect, parameters).catch(() => undefined); // the timer sees to the rest
  }

  isOpen(handle: number): boolean {
    return this.#open.has(handle) && !this.#ending.has(handle);
  }

  /**
   * Resets the controller. It is then taken for one that somebody else reset: links are gone, and the libraries and roles
   * set it up anew.
   */
  reset(): void {
    if (this.isUp()) this.#wire?.send(commandPacket(OPCODE.reset, Buffer.alloc(0)));
  }

  /**
   * The library was told to give up connecting. It connects no more until the controller has said how the attempt ended;
   * one that does not say so has it said for it.
   */
  connectCancelled(): void {
    const attempt = this.#connecting;
    if (attempt === 0) return;
    setTimeout(() => {
      if (this.#connecting === attempt) this.fromWire(CONNECT_CANCELLED);
    }, DISCONNECT_MS);
  }

  /** Tells the library in the controller's stead that a command went well. */
  answerFor(opcode: number): void {
    this.#deliver(doneEvent(opcode), undefined);
  }

  /** Tells the library of an advert again. */
  retell(report: AdvertReport): void {
    this.#deliver(report.packet, undefined);
  }

  /**
   * Tells the library to switch its scan, which it calls done at the first of several commands. Resolves to the controller's
   * status for the last LE Set Scan Enable; rejects as the command lane does, and with `unreachable` when there was none.
   */
  async switchScan(begin: () => void): Promise<number> {
    const scanSwitch: { answer?: Promise<Buffer> } = (this.#scanSwitch = {});
    begin();
    const { answer } = scanSwitch;
    if (answer === undefined) throw new FirebreakError('unreachable', 'the library did not switch its scan');
    return (await answer).at(0) ?? SUCCESS;
  }

  /** What the library writes to its socket. */
  fromLibrary(packet: Buffer): void {
    if (!this.isUp()) return this.#lostFromLibrary(packet);
    if (packet[0] !== PACKET_COMMAND) return this.#wire?.send(packet);
    if (opcodeOf(packet) === OPCODE.reset && this.#wasReset)
      return void setImmediate(() => this.answerFor(OPCODE.reset));
    // Whether there is advertising is for ble-advertiser.ts alone to say.
    if (opcodeOf(packet) === OPCODE.setAdvertiseEnable && packet[4] === 1) return;
    if (opcodeOf(packet) === OPCODE.createConnection) this.#connecting = ++this.#attempts;
    if (opcodeOf(packet) === OPCODE.reset) this.#wasReset = true;
    for (const command of keepPrivate(packet, this.#duty)) {
      const isItsOwn = opcodeOf(command) === opcodeOf(packet);
      const answer = isItsOwn ? this.#lane.pass(command) : this.#lane.ask(command);
      answer.catch(() => undefined); // of ours: the library's own command fails with it
      if (opcodeOf(command) === OPCODE.setScanEnable) this.#scanSwitch.answer = answer;
    }
  }

  /** It asks anew when the controller is back; but noble waits for the end of a connection attempt for good. */
  #lostFromLibrary(packet: Buffer): void {
    if (packet[0] !== PACKET_COMMAND || opcodeOf(packet) !== OPCODE.createConnection) return;
    setImmediate(() => this.#deliver(CONNECT_CANCELLED, undefined));
  }

  /** The wire went down or came up again. */
  wireChanged(isUp: boolean): void {
    if (!isUp) {
      this.#lane.clear();
      this.#guard.forget();
      this.#wasReset = false;
      if (this.#connecting > 0) this.fromWire(CONNECT_CANCELLED);
      for (const handle of [...this.#open.keys()]) this.fromWire(disconnectedEvent(handle));
    }
    this.events.onUp?.(isUp);
  }

  /** The host refused what was sent. */
  wireFailed(error: Error): void {
    if (isOfRights(error)) this.#lane.fail(rightsError(error));
    else this.#log.warn('a Bluetooth adapter could not be written to', { reason: error.message });
  }

  /** What the controller says. */
  fromWire(packet: Buffer): void {
    if (packet[0] === PACKET_ACL) return this.#data(packet);
    const event = readEvent(packet);
    if (event.kind === 'adverts') return this.#adverts(event.reports);
    if (event.kind === 'answered' && event.opcode === OPCODE.reset && !this.#lane.isUnderway(OPCODE.reset)) {
      return this.#setUpAnew();
    }
    if (event.kind === 'answered' && this.#lane.answered(event.opcode, event.parameters)) return;
    // An unknown connection could not be ended: whoever wanted that hears it from disconnect().
    if (event.kind === 'disconnected' && event.status !== SUCCESS) return;
    this.#connections(event);
    this.#deliver(packet, undefined);
    if (event.kind === 'connected' && event.status === SUCCESS) {
      this.events.onConnected?.(event.handle, event.isServer);
    }
    if (event.kind === 'disconnected') this.events.onDisconnected?.(event.handle);
  }

  #sendCommand(packet: Buffer): boolean {
    if (!this.isUp() || !this.#guard.passes(packet)) return false;
    this.#wire?.send(packet);
    return true;
  }

  /** Someone else reset it: links, adverts, scanning and masks are gone. The libraries set it up anew after an outage, made here. */
  #setUpAnew(): void {
    if (this.#outage !== undefined) return;
    this.#log.warn('a Bluetooth controller was reset; it is set up anew');
    this.#outage = setTimeout(() => {
      this.#outage = undefined;
      if (this.isUp()) this.wireChanged(true);
    }, OUTAGE_MS);
    this.wireChanged(false);
  }

  #connections(event: HciEvent): void {
    if (event.kind === 'connected' && !event.isServer) this.#connecting = 0;
    if (
      event.kind === 'answered' &&
      event.opcode === OPCODE.createConnection &&
      event.parameters[0] !== SUCCESS
    ) {
      this.#connecting = 0;
    }
    if (event.kind === 'connected' && event.status === SUCCESS) this.#open.set(event.handle, event.isServer);
    if (event.kind !== 'disconnected') return;
    this.#open.delete(event.handle);
    this.#frames.forget(event.handle);
    clearTimeout(this.#ending.get(event.handle));
    this.#ending.delete(event.handle);
  }

  #adverts(reports: readonly AdvertReport[]): void {
    for (const report of reports) {
      this.events.onAdvert?.(report);
      if (report.address === this.wanted) this.#deliver(report.packet, undefined);
    }
  }

  #data(packet: Buffer): void {
    const outcome = this.#frames.take(packet);
    if (outcome.kind === 'nonsense') this.#expel(outcome.handle, 'it sent what is no L2CAP frame');
    if (outcome.kind !== 'frame') return;
    const { handle, channel, pdu } = outcome;
    if (channel === CHANNEL_ATT) this.events.onAttribute?.(handle, pdu);
    if (this.#open.has(handle)) this.#deliver(aclPacket(handle, channel, pdu), handle);
  }

  #deliver(packet: Buffer, handle: number | undefined): void {
    try {
      this.onPacket(packet);
    } catch (error) {
      if (handle !== undefined) return this.#expel(handle, String(error));
      this.#log.warn('the Bluetooth library failed on an event', { reason: String(error) });
    }
  }

  #expel(handle: number, reason: string): void {
    this.#log.warn('a Bluetooth peer is disconnected', { reason });
    this.disconnect(handle);
  }
}
