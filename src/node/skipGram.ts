import { Worker } from 'node:worker_threads';
import { PolybeamError } from '../errors.js';
import type { SkipGramProgress, SkipGramTrainer } from '../xlm/vectors/skipGram.js';

type Message =
  | { progress: SkipGramProgress }
  | { result: { values: Float32Array; known: Uint8Array } }
  | { failure: string };

/** Trains vectors by fastText in a worker thread, so that the process can show progress and be stopped. */
export const trainSkipGram: SkipGramTrainer = (job, { onProgress, signal }) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal));
    const worker = startWorker(job);
    const stop = () => {
      void worker.terminate();
      reject(aborted(signal!));
    };
    signal?.addEventListener('abort', stop, { once: true });
    worker.on('message', (message: Message) => {
      if ('progress' in message) onProgress?.(message.progress);
      else if ('result' in message) resolve(message.result);
      else reject(failed(message.failure));
    });
    worker.on('error', (cause) => reject(failed(cause.message)));
    worker.on('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      // Of no effect where there is a result.
      reject(failed(`its thread ended with ${code}`));
    });
  });

function startWorker(workerData: Parameters<SkipGramTrainer>[0]): Worker {
  const transferList = [workerData.words.buffer as ArrayBuffer];
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./fastTextWorker.js', import.meta.url), { workerData, transferList });
  }
  // From the sources: a thread needs a loader for TypeScript of its own.
  const loader = import.meta.resolve('tsx/esm/api');
  const source = new URL('./fastTextWorker.ts', import.meta.url).href;
  const begin = `import(${JSON.stringify(loader)}).then(({ register }) => (register(), import(${JSON.stringify(source)})))`;
  return new Worker(begin, { eval: true, workerData, transferList });
}

function aborted(signal: AbortSignal): PolybeamError {
  return new PolybeamError(
    'ABORTED',
    'The training of vectors was aborted by its signal; call again without it.',
    {
      cause: signal.reason,
    },
  );
}

function failed(reason: string): Error {
  if (reason.startsWith('Encountered NaN')) {
    return new PolybeamError(
      'TRAINING_DIVERGED',
      'The training of vectors diverged: its numbers became NaN; lower learningRate.',
    );
  }
  return new Error(`fastText failed while training vectors: ${reason}`);
}
