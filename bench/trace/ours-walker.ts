/** The thread that traces while another takes contacts (ours-live.ts). */
import { parentPort } from 'node:worker_threads';
import { FirebreakError } from '../../protocol/errors.js';
import type { ContactView } from '../../tracer/contacts/view.js';
import { trace } from '../../tracer/trace.js';
import type { TraceRequest } from '../../tracer/trace-result.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';

export interface WalkAsked {
  readonly view: ContactView;
  readonly request: TraceRequest;
}

export interface Walked {
  readonly reached: number;
  readonly failed?: string;
}

const space = new WalkWorkspace();

function answerTo({ view, request }: WalkAsked): Walked {
  try {
    return { reached: trace(view, request, { space }).reachedCount };
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'not-found') return { reached: 0 };
    return { reached: 0, failed: String(error) };
  }
}

parentPort?.on('message', (asked: WalkAsked) => parentPort?.postMessage(answerTo(asked)));
