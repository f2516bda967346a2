import { expect, it } from 'vitest';
import { RowTeller } from '../../tracer/looks/rows-told.js';
import { walkTrace } from '../../tracer/walk/trace-walks.js';
import type { HotStep } from '../../tracer/walk/paths.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { asked, city } from './walk-stage.js';

it('rows that are told when they are read say what told rows say, and read no ledger entry before', () => {
  const { view } = city(60, 600);
  const { reached } = walkTrace(view, asked({ hops: 3 }), new WalkWorkspace());
  let read = 0;
  const ledgerOf = ({ start, end }: HotStep): number[] => {
    read += 1;
    return [start, end];
  };
  const rows = new RowTeller(view.people, reached, { ledgerOf }).rowsToTell();
  const fields = rows.map(({ person, hop, exposedAt, earliestAt, score }) => ({
    ...{ person, hop, exposedAt, earliestAt, score },
  }));
  expect([rows.length > 20, read]).toEqual([true, 0]);
  const [first] = rows;
  expect([first?.path.length, read]).toEqual([first?.hop, first?.hop]);
  const told = new RowTeller(view.people, reached, { ledgerOf }).rows();
  expect(fields.map((row, k) => ({ ...row, path: rows[k]?.path }))).toEqual(told);
});
