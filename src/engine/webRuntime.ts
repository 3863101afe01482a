import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { requireObject } from '../inputs.js';
import type { OnnxRuntime } from './runtime.js';

/** The part of a session that is used. */
type Session = Pick<InferenceSession, 'inputNames' | 'outputNames' | 'run' | 'endProfiling' | 'release'>;

/**
 * Adapts onnxruntime-web: `setRuntime(webRuntime(ort))`. By itself it returns an array that is given for an
 * output unwritten (1.30; microsoft/onnxruntime#25786), and refuses a call before the previous one has
 * ended ("Session already started"). Outputs are copied into such arrays, and calls run one after the other.
 * Outputs that stay on a GPU are not copied.
 * @param ort onnxruntime-web, any of its builds
 */
export function webRuntime(ort: OnnxRuntime): OnnxRuntime {
  requireObject(ort, 'ort', 'what onnxruntime-web exports');
  const inTurn = createTurns();
  return {
    Tensor: ort.Tensor,
    ...(ort.env && { env: ort.env }),
    describe: () => 'through onnxruntime-web, whose outputs are copied once',
    InferenceSession: {
      create: async (model, options) => {
        const session = await inTurn(() => ort.InferenceSession.create(model, options));
        const { inputNames, outputNames } = session;
        const own: Session = {
          inputNames,
          outputNames,
          run: async (feeds: InferenceSession.FeedsType, fetches?: unknown) =>
            inTurn(async () => placed(await session.run(feeds), (fetches ?? {}) as Fetches)),
          endProfiling: () => session.endProfiling(),
          release: () => inTurn(() => session.release()),
        };
        return own as InferenceSession;
      },
    },
  };
}

type Fetches = Readonly<Record<string, Tensor | null | undefined>>;

/** Outputs, in the given arrays. */
function placed(outputs: InferenceSession.ReturnType, fetches: Fetches): InferenceSession.ReturnType {
  const results: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(outputs)) {
    const into = fetches[name];
    const value = output as Tensor;
    results[name] = value;
    if (!into || value.location !== 'cpu') continue;
    (into.data as Float32Array).set(value.data as Float32Array);
    value.dispose();
    results[name] = into;
  }
  return results as InferenceSession.ReturnType;
}

/** Runs a task when the one before has ended, successfully or not. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  };
}
