import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import { keys } from '../api/keys';

const path = (examId: string) => ({ params: { path: { exam_id: examId } } });

/** What site and centre wrote about an exam, found by the id of its reading, order or study. */
export function useNotes(examId: string) {
  return useQuery({
    queryKey: keys.notesOf(examId),
    queryFn: () => answer(api.GET('/api/exams/{exam_id}/notes', path(examId))),
  });
}

/** Writes to the other side; both sides see it at once. */
export function useWriteNote(examId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (text: string) => answer(api.POST('/api/exams/{exam_id}/notes', { ...path(examId), body: { text } })),
    onSuccess: (thread) => client.setQueryData(keys.notesOf(examId), thread),
  });
}

/** Says that what the other side wrote was read here. */
export function useSeeNotes(examId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.POST('/api/exams/{exam_id}/notes/seen', path(examId))),
    onSuccess: (thread) => {
      client.setQueryData(keys.notesOf(examId), thread);
      void client.invalidateQueries({ queryKey: keys.examNotes });
    },
  });
}

/** The exams with notes that nobody on this side has seen, the latest first. */
export function useUnreadNotes() {
  return useQuery({
    queryKey: [...keys.examNotes, 'unread'],
    queryFn: () => answer(api.GET('/api/exam-notes/unread')),
    refetchInterval: 60_000,
  });
}
