/** What carries HCI packets to one controller and back. Implementations: wire-unix.ts, wire-driver.ts. */

export interface WireEvents {
  /** A packet from the controller, its H4 type byte first. */
  readonly onPacket: (packet: Buffer) => void;
  /** The controller went away (unplugged, its socket closed), or is back with its state lost. */
  readonly onUp: (isUp: boolean) => void;
  /** Sending failed, as the host has it (EPERM, ENETDOWN, …). */
  readonly onError: (error: Error) => void;
}

export interface HciWire {
  /** Sends one packet with its H4 type byte; dropped while the controller is away. */
  send(packet: Uint8Array): void;
  isUp(): boolean;
  close(): void;
}
