import type { ParameterSpec } from '../engine/parameters.js';
import { floats, type Value } from '../engine/values.js';
import { PolybeamError } from '../errors.js';
import type { StepPlan } from './stepPlan.js';
import type { TrainTensor } from './trainStep.js';

/** A model's weights while it is trained, by name. */
export interface TrainState {
  /** Frozen weights included. */
  weights: Record<string, Value>;
  /** A second buffer for each trained weight: a step reads one and writes the other, then they change places. */
  spare: Record<string, Value>;
  m: Record<string, Value>;
  v: Record<string, Value>;
  /** Sums of gradients, each made when it is first accumulated. */
  gradients: Record<string, Value>;
  /** Updates done, by task; kept only where there are several, since otherwise the run counts the same. */
  updates: Record<string, Value>;
  /** Task of the micro-batches accumulated so far for the update under way. */
  accumulating?: string;
}

/** Buffers of a step. @throws WEIGHT_MISSING, WEIGHT_SHAPE for initial weights of another model */
export function makeState(plan: StepPlan, initial: ReadonlyMap<string, Float32Array>): TrainState {
  const make = (specs: readonly ParameterSpec[]) =>
    Object.fromEntries(specs.map((spec) => [spec.name, floats(spec.shape)]));
  const weights = make(plan.specs);
  for (const spec of plan.specs) {
    const [value, from] = [weights[spec.name], initial.get(spec.name)];
    if (from?.length !== value.data.length) throw unfit(spec, from?.length);
    (value.data as Float32Array).set(from);
  }
  const tasks = plan.tasks.size > 1 ? [...plan.tasks.keys()] : [];
  return {
    weights,
    spare: make(plan.trained),
    m: make(plan.trained),
    v: make(plan.trained),
    gradients: {},
    updates: Object.fromEntries(tasks.map((task) => [task, floats([])])),
  };
}

function unfit(spec: Pick<ParameterSpec, 'name' | 'shape'>, found: number | undefined): PolybeamError {
  const wanted = `[${spec.shape.join(', ')}]`;
  if (found === undefined) {
    return new PolybeamError(
      'WEIGHT_MISSING',
      `No value was given for the weight ${spec.name} ${wanted}; initialize it or load it.`,
    );
  }
  return new PolybeamError(
    'WEIGHT_SHAPE',
    `The weight ${spec.name} wants ${wanted}, it was given ${found} numbers.`,
  );
}

/** Live views of everything that must survive a kill, by the names of `TrainStep.tensors`. */
export function tensorsOf(state: TrainState): Map<string, TrainTensor> {
  const tensors = new Map<string, TrainTensor>();
  for (const [prefix, values] of [
    ['weights/', state.weights],
    ['adamM/', state.m],
    ['adamV/', state.v],
    ['updates/', state.updates],
  ] as const) {
    for (const [name, value] of Object.entries(values)) {
      tensors.set(prefix + name, { shape: [...value.shape], data: value.data as Float32Array });
    }
  }
  return tensors;
}

/** Copies saved tensors in. @throws WEIGHT_MISSING, WEIGHT_SHAPE, and changes nothing then */
export function restore(state: TrainState, tensors: Map<string, TrainTensor>): void {
  const live = tensorsOf(state);
  for (const [name, { shape, data }] of live) {
    const given = tensors.get(name);
    if (given?.data.length !== data.length) throw unfit({ name, shape }, given?.data.length);
  }
  for (const [name, { data }] of live) data.set(tensors.get(name)!.data);
}

/** The values of some weights. */
export function valuesOf(
  values: Readonly<Record<string, Value>>,
  specs: readonly ParameterSpec[],
): Record<string, Value> {
  return Object.fromEntries(specs.map(({ name }) => [name, values[name]]));
}
