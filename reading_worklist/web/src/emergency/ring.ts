/** What has begun to call since it was looked at last, by what names each; `rung` remembers all that called. */
export function begun<T>(calling: readonly T[], nameOf: (one: T) => string, rung: Set<string>): T[] {
  const fresh = calling.filter((one) => !rung.has(nameOf(one)));
  for (const one of fresh) rung.add(nameOf(one));
  return fresh;
}

/** Which limit an ECG that waits is past: none, that of the warning, or its due time. */
export function urgencyOf(
  { warn_at: warnAt, due_at: dueAt }: { warn_at: string | null; due_at: string },
  now: number,
): 'fresh' | 'warned' | 'late' {
  if (now >= Date.parse(dueAt)) return 'late';
  return warnAt !== null && now >= Date.parse(warnAt) ? 'warned' : 'fresh';
}

/** Rings when it comes, when it is near its limit and when it is past it. */
export function waitingKey(one: { workitem_id: string; warn_at: string | null; due_at: string }, now: number): string {
  return `${one.workitem_id} ${urgencyOf(one, now)}`;
}
