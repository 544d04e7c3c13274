import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';
import { type ChestPainMeasure, spanOfMonth } from './chestPain';

const WATCH_INTERVAL = 30_000;
const FIGURES_INTERVAL = 300_000;

/** STAT ECGs that nobody has claimed, watched even while the page is hidden. */
export function useWaitingEcgs(enabled: boolean) {
  return useQuery({
    queryKey: [...keys.emergency, 'waiting'],
    queryFn: () => answer(api.GET('/api/ecg/emergency/waiting')),
    enabled,
    refetchInterval: WATCH_INTERVAL,
    refetchIntervalInBackground: true,
  });
}

/** STAT ECGs of the site whose report is back and that nobody there has opened. */
export function useAnsweredEcgs(enabled: boolean) {
  return useQuery({
    queryKey: [...keys.emergency, 'answered'],
    queryFn: () => answer(api.GET('/api/ecg/emergency/answered')),
    enabled,
    refetchInterval: WATCH_INTERVAL,
    refetchIntervalInBackground: true,
  });
}

/** When what happened to an emergency ECG; null for any other exam. */
export function useEmergencyTimes(id: string, enabled: boolean) {
  return useQuery({
    queryKey: [...keys.workitem(id), 'emergency'],
    queryFn: () =>
      answer(api.GET('/api/workitems/{workitem_id}/ecg/emergency', { params: { path: { workitem_id: id } } })),
    enabled,
  });
}

/** How often the chest-pain ECGs of a month were in time. */
export function useChestPain(month: string) {
  return useQuery({
    queryKey: [...keys.emergency, 'indicators', month],
    queryFn: () => answer(api.GET('/api/ecg/emergency/indicators', { params: { query: spanOfMonth(month) } })),
    placeholderData: keepPreviousData,
    staleTime: FIGURES_INTERVAL,
    refetchInterval: FIGURES_INTERVAL,
    refetchIntervalInBackground: true,
  });
}

/** The ECGs that a figure of a month counts. */
export function useChestPainExams(month: string, measure: ChestPainMeasure) {
  return useQuery({
    queryKey: [...keys.emergency, 'counted', month, measure],
    queryFn: () =>
      answer(api.GET('/api/ecg/emergency/indicators/exams', { params: { query: { ...spanOfMonth(month), measure } } })),
    placeholderData: keepPreviousData,
  });
}
