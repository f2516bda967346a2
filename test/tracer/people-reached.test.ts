import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PeopleDirectory } from '../../tracer/contacts/people.js';
import { PeopleReached } from '../../tracer/looks/people-reached.js';

it('whom walks reached are named once and in order, with people who came later and tags nobody met', () => {
  const tags = fc.uniqueArray(fc.nat(60), { maxLength: 40 });
  const walks = fc.array(fc.array(fc.nat(39)));
  const property = fc.property(tags, fc.nat(40), walks, fc.array(fc.nat(60)), (met, known, drawn, named) => {
    const directory = new PeopleDirectory(16);
    for (const tag of met.slice(0, known)) directory.add(tag);
    const reached = new PeopleReached(directory.view(), (person) => directory.tagOf(person));
    for (const tag of met.slice(known)) directory.add(tag);
    const persons = drawn.map((walk) => walk.filter((person) => person < met.length));
    for (const walk of persons) reached.addAll(Uint32Array.from(walk));
    const all = new Set([...persons.flat().map((person) => met[person] ?? -1), ...named]);
    expect([...reached.tagsWith(named)]).toEqual([...all].sort((x, y) => x - y));
  });
  fc.assert(property, { numRuns: 300 });
});
