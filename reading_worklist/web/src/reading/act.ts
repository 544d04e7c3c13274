import type { WorkitemAct } from './queries';

/** Performs an act and says how it ended. Resolves to whether it was done. */
export type Act = (request: WorkitemAct) => Promise<boolean>;
