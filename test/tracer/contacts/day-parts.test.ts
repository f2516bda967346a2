import { expect, test } from 'vitest';
import { DayParts } from '../../../tracer/contacts/day-parts.js';
import type { DayPart } from '../../../tracer/contacts/day-parts.js';
import { keep } from '../keep-parts.js';

/** Numbers of one byte. */
class Numbers implements DayPart {
  readonly numbers: number[] = [];
  #kept = 0;

  change(name: string) {
    const bytes = Uint8Array.from(this.numbers.slice(this.#kept));
    return bytes.length === 0 ? undefined : ({ kind: 'append', name, bytes } as const);
  }

  saved(): void {
    this.#kept = this.numbers.length;
  }

  restore(bytes: Uint8Array): void {
    this.numbers.push(...bytes);
    this.saved();
  }
}

function stage(kept = new Map<string, Uint8Array>()) {
  const days = new DayParts('day/', () => new Numbers());
  days.restore(kept);
  const add = (day: number, number: number): void => void days.at(day).numbers.push(number);
  const save = (): void => {
    keep(kept, days.changes());
    days.saved();
  };
  return { days, kept, add, save };
}

test.each(['in the same life', 'in the next'])(
  'a day that went and came again has nothing of before, %s',
  (life) => {
    const first = stage();
    first.add(1, 10);
    first.save();
    const { days, kept, add, save } = life === 'in the next' ? stage(first.kept) : first;
    days.forget(1);
    add(1, 20);
    add(2, 30);
    const unsaved = days.changes();
    expect(days.changes()).toEqual(unsaved);
    save();
    expect(days.changes()).toEqual([]);
    expect(Object.fromEntries(kept)).toEqual({ 'day/1': Uint8Array.of(20), 'day/2': Uint8Array.of(30) });
    days.forgetBefore(2);
    save();
    expect([...kept.keys()]).toEqual(['day/2']);
  },
);

test('a day that was never saved leaves nothing to remove', () => {
  const { days, add } = stage();
  add(1, 10);
  days.forget(1);
  expect(days.changes()).toEqual([]);
});

test('a day is told which is the newest, and takes up only parts with its own prefix', () => {
  const newest: number[] = [];
  const part = (): DayPart => ({
    change: (_name, told) => void newest.push(told),
    saved: () => undefined,
    restore: () => undefined,
  });
  const days = new DayParts('day/', part);
  days.restore(new Map(['day/7', 'days/8', 'day/5'].map((name) => [name, new Uint8Array()])));
  expect([...days.days.keys()]).toEqual([7, 5]);
  days.changes();
  expect(newest).toEqual([7, 7]);
});
