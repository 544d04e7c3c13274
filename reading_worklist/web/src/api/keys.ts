/** Names of the cached answers: what is renewed together begins alike. */
export const keys = {
  workitems: ['workitems'] as const,
  sites: ['sites'] as const,
  workitem: (id: string) => ['workitem', id] as const,
  quality: (id: string) => ['workitem', id, 'quality'] as const,
  timeline: (id: string) => ['workitem', id, 'timeline'] as const,
  submission: (id: string, number: number) => ['document', 'submission', id, number] as const,
  report: (versionId: string) => ['document', 'report', versionId] as const,
  verification: (versionOrCode: string) => ['verification', versionOrCode] as const,
  ecgRecord: (id: string, instance: string | null) => ['ecg', id, 'record', instance] as const,
  ecgTrace: (address: string) => ['ecg', 'trace', address] as const,
  portal: ['portal'] as const,
  portalExam: (id: string) => ['portal', 'exam', id] as const,
  portalReport: (id: string, version: number) => ['document', 'portal', id, version] as const,
  deliveries: ['deliveries'] as const,
  delivery: (id: string) => ['deliveries', 'one', id] as const,
  quarantine: ['quarantine'] as const,
};
