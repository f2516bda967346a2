/** Frames as a journal file holds them, made without a journal. */
import { frameLength, writeFrame, type Frame } from '../../ledger/store/journal-frames.js';
import type { SignedLength } from '../../ledger/store/signed-length.js';

/** As if each frame were signed, of a log that grows with each. */
export const anySigned: SignedLength = ({ commit }) => commit;

/** One after the other from the start of a file. */
export function encodeFrames(frames: readonly Frame[]): Buffer[] {
  let after = 0;
  return frames.map((frame) => {
    const bytes = Buffer.alloc(frameLength(frame.rows));
    after = writeFrame(bytes, frame, after);
    return bytes;
  });
}
