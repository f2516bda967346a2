/** `firebreak ledger run` and `firebreak tracer run`, each a process of its own, as a deployment has them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Running {
  end(): Promise<void>;
}

/** What is kept of what a process says. */
const KEPT_CHARACTERS = 10_000;

/** `dir`: of the deployment. What the process said last goes to stderr if it did not end well. */
export function startRole(role: 'ledger' | 'tracer', dir: string): Running {
  const program = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const child = spawn(process.execPath, [program, role, 'run', '--data-dir', dir], { stdio: [...stdio] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-KEPT_CHARACTERS)));
  const ended = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
  return {
    end: async () => {
      child.kill();
      const [code] = await ended;
      if (code !== 0) process.stderr.write(said);
    },
  };
}
