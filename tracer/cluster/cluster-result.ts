/** What is asked about several cases at once, and what is answered (clusters.md). Times are unix seconds. */
import type { PathStep, TraceRequest, TraceResult, WalkRequest } from '../looks/trace-result.js';
import type { Window } from '../looks/window.js';

export const MIN_CASES = 2;
export const MAX_CASES = 64;
/** No more can be listed; so many sources at least are weighed in full. */
export const MAX_SOURCES = 32;

/** Whom a walk reached. The path of a row may be made when it is read: it is asked of few. */
export type Walked = Pick<TraceResult, 'reached' | 'reachedCount'>;

/** Whatever walks. Throws `not-found` for a case that is in no contact, `input` for a request out of bounds. */
export type Trace = (request: WalkRequest) => Promise<Walked>;

export interface ClusterCase {
  /** A tag number in decimal digits. */
  readonly tag: string;
  /** When it fell ill, where that is known: it cannot have been infected less than the incubation before. */
  readonly onset?: number;
}

export interface ClusterRequest extends Omit<TraceRequest, 'case' | 'direction'> {
  readonly cases: readonly ClusterCase[];
  /** From exposure to onset at least; 0 by default: somebody may be infected up to the onset. */
  readonly incubationSeconds?: number;
  /** Which seconds count towards minSeconds: those of this class and of the nearer ones; `near` by default. */
  readonly attenuation?: 'immediate' | 'near' | 'medium';
  /** Whether walks go by co-presence at a gateway as well; they do not by default. */
  readonly presence?: boolean;
  /** At most this many sources are listed; 20 by default. */
  readonly list?: number;
  /** Whether gateways are weighed as sources; they are by default, where there is presence to go by. */
  readonly gateways?: boolean;
}

/** How a person may have come to infect a case: a row of that case's backward trace, or of the forward trace from `infectiousBy`. */
export interface ExplainedCase {
  readonly case: string;
  readonly hop: number;
  /** Of that trace. */
  readonly score: number;
  /** The last time known, in the infectious period from `infectiousBy` on, at which the first step towards the case begins. */
  readonly passedOnBy: number;
  /** From the source to the case. */
  readonly path: readonly PathStep[];
}

interface RankedSource {
  /** Its share of the likelihood among all sources weighed, 0 to 1. */
  readonly score: number;
  /** Others whom it would have reached, none of them a case, and how many of them would be infected. */
  readonly othersReached: number;
  readonly othersExpected: number;
}

export interface PersonSource extends RankedSource {
  readonly kind: 'person';
  readonly person: string;
  /** One of the cases itself. */
  readonly isCase: boolean;
  /** In the order in which cases were asked; a case that is the source stands in none of them. */
  readonly explains: readonly ExplainedCase[];
  /** To have infected all of these it passed it on from here on at the latest; with an infectious period, for that long. */
  readonly infectiousBy: number;
}

/** A case's stays at a gateway in the time in which it can have been infected. */
export interface CaseStay {
  readonly case: string;
  readonly start: number;
  readonly end: number;
  /** There, all stays together. */
  readonly seconds: number;
}

export interface GatewaySource extends RankedSource {
  readonly kind: 'gateway';
  /** Party ID in hexadecimal digits. */
  readonly gateway: string;
  readonly explains: readonly CaseStay[];
}

export type ClusterSource = PersonSource | GatewaySource;

/** Who may have infected whom; every edge is a step of a walk, feasible in time after the one that leads to it. */
export interface TransmissionTree {
  /** Those whom nobody in the tree infected: the presumed source first, then cases that nothing explains. */
  readonly roots: readonly string[];
  /** By start, then end, from, to. */
  readonly edges: readonly PathStep[];
  /** Natural logarithm: the chances of all steps, and of cases that nothing recorded explains. */
  readonly logLikelihood: number;
}

export interface ClusterResult extends ClusterRequest {
  /** By score; then more cases explained; then people before gateways; then number. */
  readonly sources: readonly ClusterSource[];
  /** People and gateways that have two cases or more in common, weighed in full or not. */
  readonly sourceCount: number;
  /** Of these, so many were weighed in full. Gateways are absent where none were looked at. */
  readonly weighed: { readonly people: number; readonly gateways?: number };
  /** Cases whose backward trace is empty. */
  readonly unreached: readonly string[];
  /** Those of them that are in no contact at all, and that no gateway saw where those were looked at: most likely a wrong number. */
  readonly unknown: readonly string[];
  /** Those of them that are in no contact at all, and that gateways saw, at any time. */
  readonly onlySeen: readonly string[];
  /** Those of them whose onset, less the incubation, is before `from`: nothing was walked, and their number was not checked. */
  readonly beforeWindow: readonly string[];
  readonly tree: TransmissionTree;
  /** By presence: stays are known from here on, those before had to go. Absent where all of the window is known. */
  readonly presenceFrom?: number;
  /** As of {@link TraceResult}; the stays count where gateways are weighed. */
  readonly known?: Window;
  /** As of {@link TraceResult}. */
  readonly missingReports?: number;
}
