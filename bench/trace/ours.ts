/** Firebreak in the trace bench: a process of its own (ours-run.ts), as the bench sees it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answers, FromOurs, ToOurs } from './ours-messages.js';

export interface Ours {
  tell<K extends keyof Answers>(message: Extract<ToOurs, { readonly kind: K }>): Promise<Answers[K]>;
  end(): Promise<void>;
}

export function startOurs(): Ours {
  const child = fork(fileURLToPath(new URL('./ours-run.js', import.meta.url)), {
    serialization: 'advanced',
  });
  const exited = once(child, 'exit');
  return {
    async tell(message) {
      child.send(message);
      const gone = exited.then((): never => {
        throw new Error(`the process that should ${message.kind} is gone`);
      });
      const [said] = (await Promise.race([once(child, 'message'), gone])) as [FromOurs];
      if ('failed' in said) throw new Error(said.failed);
      return said.answer as never;
    },
    async end() {
      child.kill();
      await exited;
    },
  };
}
