import { type AnyValue, type DeviceContent, type DeviceValue, isOnDevice, type Value } from './values.js';

/** Values in the memory of devices, and bytes sent and received so far. */
export interface DeviceTraffic {
  /** Number of values with content, on all devices. */
  values: number;
  /** Bytes that the host fed to programs. */
  sent: number;
  /** Bytes of outputs that the host received. */
  received: number;
}

const traffic: DeviceTraffic = { values: 0, sent: 0, received: 0 };

/** Counts of device values and of bytes between host and devices, since the process began, without the CPU. */
export function deviceTraffic(): Readonly<DeviceTraffic> {
  return { ...traffic };
}

/** Counts a run of a program whose memory is not the host's. */
export function countRun(
  feeds: Readonly<Record<string, AnyValue>>,
  outputs: Readonly<Record<string, Value>>,
): void {
  for (const value of Object.values(feeds)) if (!isOnDevice(value)) traffic.sent += value.data.byteLength;
  for (const value of Object.values(outputs)) traffic.received += value.data.byteLength;
}

/** A device value without content. */
export function emptyDeviceValue(device: string): DeviceValue {
  return { device };
}

/** Replaces the content of a value; the old content is freed. */
export function replaceContent(value: DeviceValue, content: DeviceContent): void {
  disposeValue(value);
  value.content = content;
  traffic.values++;
}

/** Frees the device memory of a value; a second call, or a call for a value on the host, does nothing. */
export function disposeValue(value: AnyValue): void {
  if (!isOnDevice(value) || !value.content) return;
  const { content } = value;
  value.content = undefined;
  traffic.values--;
  content.free();
}

/** `disposeValue` for each. */
export function disposeValues(values: Readonly<Record<string, AnyValue>>): void {
  for (const value of Object.values(values)) disposeValue(value);
}
