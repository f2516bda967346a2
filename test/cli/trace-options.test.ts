/** What a trace asks, out of the options it was given. */
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addTraceOptions, askedOf } from '../../cli/terminal/trace-options.js';
import type { TraceOptions } from '../../cli/terminal/trace-options.js';

const ALL = [
  ...['--hops', '5', '--direction', 'both', '--min-seconds', '61', '--latent-seconds', '62'],
  ...['--infectious-seconds', '63', '--attenuation', 'medium', '--presence', '--list', '7'],
];

it.each([
  ['none', [], { hops: 3, direction: 'forward', minSeconds: 900, latentSeconds: 172_800 }],
  [
    'all',
    ALL,
    {
      ...{ hops: 5, direction: 'both', minSeconds: 61, latentSeconds: 62 },
      ...{ infectiousSeconds: 63, attenuation: 'medium', presence: true, list: 7 },
    },
  ],
])('a trace with %s of its options asks what they say, and nothing else', (_which, given, asked) => {
  const command = addTraceOptions(new Command()).parse(given, { from: 'user' });
  expect(askedOf(command.opts<TraceOptions>())).toStrictEqual(asked);
});
