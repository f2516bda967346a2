/** A thread that seals, compacts and imports for a contact store, one task after the other. It holds no state. */
import { parentPort, workerData } from 'node:worker_threads';
import { FirebreakError } from '../../protocol/errors.js';
import { standAsideFor, standFast } from './stand-aside.js';
import { NODE_STORE_DISK } from './store-disk.js';
import { runTask } from './store-task.js';
import type { StoreTask } from './store-task.js';
import type { TaskReport, TaskThreadSettings } from './task-thread.js';

const { walksUnderWay } = workerData as TaskThreadSettings;

const report = (message: TaskReport): void => parentPort?.postMessage(message);

async function outcomeOf(task: StoreTask): Promise<TaskReport> {
  try {
    const result = await runTask(NODE_STORE_DISK, task, {
      onPeople: (people) => report({ kind: 'progress', people }),
      standAside: walksUnderWay ? standAsideFor(walksUnderWay) : standFast,
    });
    return { kind: 'done', result };
  } catch (error) {
    const code = error instanceof FirebreakError ? error.code : undefined;
    return { kind: 'threw', code, message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (task: StoreTask) => void outcomeOf(task).then(report));
