/** What the authority publishes for all tags and gateways of a deployment (protocol.md §4, §6, §8). */

export interface ProtocolSettings {
  /** A sample credits at most this long (§6). */
  readonly sampleHoldSeconds: number;
  readonly beaconIntervalMs: number;
  /** Each interval is drawn from beaconIntervalMs × (1 ± beaconJitter). */
  readonly beaconJitter: number;
  /** Upper bounds of immediate, near and medium, dB. */
  readonly attenuationThresholdsDb: readonly [number, number, number];
  /** Samples below it do not count towards the two that make a record. */
  readonly rssiFloorDbm: number;
  readonly beaconServiceUuid: number;
  readonly gatewayServiceUuid: number;
  readonly retentionDays: number;
}

export const DEFAULT_SETTINGS: ProtocolSettings = {
  sampleHoldSeconds: 30,
  beaconIntervalMs: 1_000,
  beaconJitter: 0.1,
  attenuationThresholdsDb: [55, 63, 73],
  rssiFloorDbm: -100,
  beaconServiceUuid: 0xffb0,
  gatewayServiceUuid: 0xffb1,
  retentionDays: 21,
};

/** Recorded contacts come in steps of 20 s; two beacons make one step (tracing.md, "Replaying recorded contacts"). */
export const REPLAY_SETTINGS: ProtocolSettings = {
  ...DEFAULT_SETTINGS,
  sampleHoldSeconds: 10,
  beaconIntervalMs: 10_000,
  beaconJitter: 0,
};
