import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { requireObject } from '../inputs.js';
import type { OnnxRuntime } from './runtime.js';

/** What is used of a session. */
type Session = Pick<InferenceSession, 'inputNames' | 'outputNames' | 'run' | 'endProfiling' | 'release'>;

/**
 * onnxruntime-web as polybeam needs it: `setRuntime(webRuntime(ort))`. By itself it hands an array that it is given for an
 * output back unwritten (1.30; microsoft/onnxruntime#25786), and refuses to begin something before something else has
 * ended ("Session already started"). Outputs are copied into such arrays, and everything is done one after the other.
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

/** Outputs, in the arrays that were given for them. */
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

/** Lets one piece of work begin when the one before has ended, however it ended. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  };
}
