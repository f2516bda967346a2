/** `firebreak ledger run` and `firebreak tracer run`, each a process of its own, as a deployment has them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Running {
  end(): Promise<void>;
}

/** `dir`: of the deployment. What the process warns of goes to stderr. */
export function startRole(role: 'ledger' | 'tracer', dir: string): Running {
  const program = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [program, role, 'run', '--data-dir', dir], {
    env: { ...process.env, FIREBREAK_LOG: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  return {
    end: async () => {
      child.kill();
      await ended;
    },
  };
}
