/**
 * The published packages that drive the controllers, and how each is loaded. They are optional: a deployment without
 * Bluetooth does not install them, so nothing here is imported before it is asked for.
 */
import Module, { createRequire } from 'node:module';
import { FirebreakError } from '../../protocol/errors.js';
import type { HciSocketClass } from './hci-socket.js';
import { blenoPackage, noblePackage } from './libraries.js';
import type { Bleno, Noble } from './libraries.js';

export type StackName = 'abandonware' | 'stoprocent';

interface Stack {
  readonly noble: string;
  readonly bleno: string;
  /** The package by which both of them open an HCI socket. */
  readonly hciSocket: string;
  readonly install: string;
}

const STACKS: Readonly<Record<StackName, Stack>> = {
  abandonware: {
    noble: '@abandonware/noble',
    bleno: 'bleno',
    hciSocket: '@abandonware/bluetooth-hci-socket',
    install: 'npm install @abandonware/noble@1.9.2-26 bleno@npm:@abandonware/bleno@0.6.2',
  },
  stoprocent: {
    noble: '@stoprocent/noble',
    bleno: '@stoprocent/bleno',
    hciSocket: '@stoprocent/bluetooth-hci-socket',
    install: 'npm install @stoprocent/noble@2.8.0 @stoprocent/bleno@0.12.4',
  },
};

const requireHere = createRequire(import.meta.url);

/** Throws `not-found` with what installs them when a package of the stack is missing. */
export function requireInstalled(stack: StackName): void {
  orMissing(stack, () => [
    requireHere.resolve(STACKS[stack].noble),
    requireHere.resolve(STACKS[stack].bleno),
  ]);
}

/** noble, on the given socket. Throws `not-found` when the package is missing. */
export function loadNoble(stack: StackName, socket: HciSocketClass): Noble {
  // Without it noble reports an advertiser only from its second advert on.
  process.env['NOBLE_REPORT_ALL_HCI_EVENTS'] = '1';
  const loaded = noblePackage.parse(loadWith(stack, STACKS[stack].noble, socket));
  return loaded.withBindings?.('hci', { extended: false }) ?? loaded;
}

/** bleno, on the given socket. Throws `not-found` when the package is missing. */
export function loadBleno(stack: StackName, socket: HciSocketClass): Bleno {
  return blenoPackage.parse(loadWith(stack, STACKS[stack].bleno, socket));
}

/** The stack's own HCI socket package, for real adapters. Throws `not-found` when it is missing. */
export function loadHciSocket(stack: StackName): unknown {
  const { noble, hciSocket } = STACKS[stack];
  return orMissing(stack, () => createRequire(requireHere.resolve(noble))(hciSocket) as unknown);
}

/**
 * Loads a package while the module by which it opens its socket is ours. The package itself stays as it was published: it
 * is given another socket, as it would be on another platform.
 */
function loadWith(stack: StackName, name: string, socket: HciSocketClass): unknown {
  return orMissing(stack, () => {
    const requireThere = createRequire(requireHere.resolve(name));
    const id = requireThere.resolve(STACKS[stack].hciSocket);
    const before = requireThere.cache[id];
    requireThere.cache[id] = Object.assign(new Module(id), {
      exports: stack === 'abandonware' ? socket : { loadDriver: () => socket },
      loaded: true,
    });
    try {
      return requireHere(name) as unknown;
    } finally {
      if (before === undefined) Reflect.deleteProperty(requireThere.cache, id);
      else requireThere.cache[id] = before;
    }
  });
}

function orMissing<T>(stack: StackName, load: () => T): T {
  try {
    return load();
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'MODULE_NOT_FOUND')) throw cause;
    throw new FirebreakError(
      'not-found',
      `the Bluetooth packages of the ${stack} stack are not installed; install them with: ${STACKS[stack].install}`,
      { cause },
    );
  }
}
