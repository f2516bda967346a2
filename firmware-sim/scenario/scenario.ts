/**
 * The built-in scenario: three days of a hospital ward and of the transit hub its staff come through, 200 people,
 * recorded as wearable sensors record contacts. The same seed gives the same recording.
 */
import { asTagNumber } from '../../protocol/brands.js';
import type { TagNumber } from '../../protocol/brands.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { seededRandom } from '../../radio/random.js';
import type { ContactLine } from '../recorded/contact-lines.js';
import { recordingBuilder } from '../recorded/contact-recording.js';
import type { ContactRecording } from '../recorded/contact-recording.js';
import { newDiary } from './scenario-diary.js';
import { hubDay } from './scenario-hub.js';
import { INDEX_CASE } from './scenario-people.js';
import { wardDay } from './scenario-ward.js';

export interface Scenario {
  readonly recording: ContactRecording;
  /** Someone whose trace over the whole recording is worth looking at. */
  readonly indexCase: TagNumber;
  /** Who that is, for people. */
  readonly about: string;
}

/** 2026-03-02T00:00Z, a Monday. */
export const SCENARIO_START = 1_772_409_600;
const DAYS = 3;
const DEFAULT_SEED = 1;

export function wardAndHub(seed: number = DEFAULT_SEED): Scenario {
  const builder = recordingBuilder();
  for (const line of scenarioLines(seed)) builder.add(line);
  return {
    recording: builder.finish('the built-in scenario'),
    indexCase: asTagNumber(INDEX_CASE),
    about: 'a nurse on the day shift of a hospital ward, who comes and goes through the transit hub',
  };
}

/** The contacts themselves, by day and place. */
export function scenarioLines(seed: number = DEFAULT_SEED): readonly ContactLine[] {
  const random = seededRandom(`ward and hub ${seed}`);
  const diary = newDiary(random.fork('sensors'));
  for (let day = 0; day < DAYS; day += 1) {
    const midnight = SCENARIO_START + day * DAY_SECONDS;
    wardDay(diary, random.fork(`ward ${day}`), midnight);
    hubDay(diary, random.fork(`hub ${day}`), midnight);
  }
  return diary.lines();
}
