/** What `npm run bench -- ingest` runs, as told to the process of the gateways (ingest-gateways.ts) and told back. */

export interface IngestCase {
  readonly name: string;
  /** In each report. */
  readonly records: 8 | 128;
  readonly reports: number;
  /** Reports a second, over all gateways; without it gateways send as fast as receipts come. */
  readonly reportsPerSecond?: number;
}

/** Seeds in hex. */
export interface IngestPlan {
  readonly brokerUrl: string;
  readonly issuerSeed: string;
  readonly gatewaySeeds: readonly string[];
  readonly receiptKey: string;
  readonly cases: readonly IngestCase[];
}

export interface IngestResult {
  /** From the first publish to the last receipt. */
  readonly seconds: number;
  readonly batches: number;
  /** Batches refused as busy and sent again. */
  readonly busy: number;
  /** Of each report, in the order of its receipt: from its batch's publish, and from when the gateway had it, to the receipt. */
  readonly publishToReceiptMs: readonly number[];
  readonly arrivalToReceiptMs: readonly number[];
  /** CPU seconds of this process meanwhile. */
  readonly cpuSeconds: number;
}

export type FromGateways =
  | { readonly kind: 'ready'; readonly preparedInSeconds: number }
  | { readonly kind: 'result'; readonly result: IngestResult };

/** Cases are asked for by number, in any order, each once. */
export interface ToGateways {
  readonly run: number;
}
