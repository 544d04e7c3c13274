/** What a site can order an exam of. */
export const MODALITIES = ['DX', 'CT', 'ECG', 'US', 'MR', 'CR', 'MG'] as const;
