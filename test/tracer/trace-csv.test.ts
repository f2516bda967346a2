import { describe, expect, it } from 'vitest';
import { traceCsv } from '../../tracer/looks/trace-csv.js';

const step = { start: 1_700_000_000, end: 1_700_000_900, nearSeconds: 840, mutual: true, ledger: [4, 9] };
const row = { hop: 2, exposedAt: 1_700_000_900, earliestAt: 1_700_000_900, score: 0.25 };
const request = { case: '1', hops: 2, from: 0, to: 0, minSeconds: 900, latentSeconds: 0 };

describe('a trace as comma-separated values', () => {
  it('has a row a person with the last step before them, sources first', () => {
    const csv = traceCsv({
      ...request,
      direction: 'both',
      ...{ reachedCount: 1, sourceCount: 1 },
      reached: [
        {
          ...row,
          person: '3',
          source: '1',
          path: [
            { from: '1', to: '2', ...step },
            { from: '2', to: '3', ...step },
          ],
        },
      ],
      sources: [
        {
          ...row,
          person: '5',
          path: [
            { from: '5', to: '6', ...step },
            { from: '6', to: '1', ...step },
          ],
        },
      ],
    });
    const [header, ...rows] = csv.split('\r\n');
    expect(header).toBe(
      'list,person,hop,exposed_at,earliest_at,score,source,via,contact_start,contact_end,near_seconds,mutual,ledger_entries,gateway',
    );
    const times = '2023-11-14T22:28:20Z,2023-11-14T22:28:20Z,0.2500';
    const contact = '2023-11-14T22:13:20Z,2023-11-14T22:28:20Z,840,true,4 9,';
    expect(rows).toEqual([`source,5,2,${times},,6,${contact}`, `reached,3,2,${times},1,2,${contact}`, '']);
  });

  it('calls those whom a trace backward names sources too', () => {
    const reached = [{ ...row, person: '5', path: [{ from: '5', to: '1', ...step }] }];
    const csv = traceCsv({ ...request, direction: 'backward', reachedCount: 1, reached });
    expect(csv.split('\r\n')[1]).toMatch(/^source,5,2,/);
  });

  it('names the gateway of a row that rests on presence', () => {
    const gateway = '0123456789abcdef0123456789abcdef';
    const together = { ...step, from: '1', to: '2', nearSeconds: 0, mutual: false, ledger: [], gateway };
    const reached = [{ ...row, person: '2', path: [together] }];
    const csv = traceCsv({ ...request, direction: 'forward', reachedCount: 1, reached, presence: true });
    const [header = '', told = ''] = csv.split('\r\n');
    expect(told.split(',').at(header.split(',').indexOf('gateway'))).toBe(gateway);
    expect(told).toContain(`,0,false,,${gateway}`);
  });
});
