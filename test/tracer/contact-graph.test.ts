import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { buildContactGraph, contactsOf, otherSide, personOf } from '../../tracer/contact-graph.js';
import type { Contact } from '../../tracer/contact.js';

const DAY = 86_400;

function contact(a: number, b: number, start: number, nearSeconds: number, seconds = 100): Contact {
  return {
    a: asTagNumber(a),
    b: asTagNumber(b),
    epoch: asEpoch(Math.floor(start / 900)),
    start,
    end: start + seconds,
    bucketSeconds: [0, nearSeconds, 0, 0],
    attenuationDb: 50,
    mutual: true,
    partial: false,
    ledger: [],
  };
}

describe('a contact graph', () => {
  it('sums a pair’s near seconds over (end − 24 h, end]', () => {
    const graph = buildContactGraph([
      contact(1, 2, DAY, 100),
      contact(1, 2, DAY + 900, 10),
      contact(1, 2, 2 * DAY, 1),
      contact(1, 2, 2 * DAY + 899, 1000),
      contact(1, 3, DAY, 5),
    ]);
    const ofPair = (b: number) =>
      graph.contacts.flatMap((one, k) => (one.b === b ? [[one.start, graph.nearInDay[k]]] : []));
    expect(ofPair(2)).toEqual([
      [DAY, 100],
      [DAY + 900, 110],
      [2 * DAY, 11],
      [2 * DAY + 899, 1011],
    ]);
    expect(ofPair(3)).toEqual([[DAY, 5]]);
  });

  it('counts contacts that end together for each other', () => {
    const graph = buildContactGraph([contact(1, 2, 1000, 3, 200), contact(1, 2, 1100, 4, 100)]);
    expect([...graph.nearInDay]).toEqual([7, 7]);
  });

  it('lists each person’s contacts in order of start, and knows people by tag number', () => {
    const graph = buildContactGraph([contact(7, 9, 50, 1), contact(2, 9, 30, 1), contact(2, 7, 40, 1)]);
    const nine = personOf(graph, 9) ?? NaN;
    const met = [...contactsOf(graph, nine)].map((k) => graph.people[otherSide(graph, k, nine)]);
    expect(met).toEqual([2, 7]);
    expect([1, 3, 10].map((tag) => personOf(graph, tag))).toEqual([undefined, undefined, undefined]);
    expect(personOf(buildContactGraph([]), 1)).toBeUndefined();
  });
});
