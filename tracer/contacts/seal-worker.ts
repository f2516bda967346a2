/** A thread that seals, compacts and imports for a contact store, one task after the other. It holds no state. */
import { parentPort } from 'node:worker_threads';
import { FirebreakError } from '../../protocol/errors.js';
import { NODE_STORE_DISK } from './store-disk.js';
import { runTask } from './store-task.js';
import type { StoreTask } from './store-task.js';
import type { TaskReport } from './task-thread.js';

const report = (message: TaskReport): void => parentPort?.postMessage(message);

async function outcomeOf(task: StoreTask): Promise<TaskReport> {
  try {
    const result = await runTask(NODE_STORE_DISK, task, (people) => report({ kind: 'progress', people }));
    return { kind: 'done', result };
  } catch (error) {
    const code = error instanceof FirebreakError ? error.code : undefined;
    return { kind: 'threw', code, message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (task: StoreTask) => void outcomeOf(task).then(report));
