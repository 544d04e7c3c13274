import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, api } from '../api/client';
import type { Template, TemplateBody } from '../api/types';

const TEMPLATES = ['templates'] as const;
const SNIPPETS = ['snippets'] as const;

/** Every template of the consortium, those that are offered no more as well. */
export function useTemplates() {
  return useQuery({
    queryKey: TEMPLATES,
    queryFn: () => answer(api.GET('/api/templates', { params: { query: { retired: true } } })),
  });
}

/** The names of the regions of the body that templates are for. */
export function useRegions() {
  return useQuery({
    queryKey: ['template-regions'],
    queryFn: () => answer(api.GET('/api/template-regions')),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The texts as they are with the default values; the Problem of a flaw as the error. */
export function usePreview(body: TemplateBody) {
  return useQuery({
    queryKey: [...TEMPLATES, 'preview', body],
    queryFn: () => answer(api.POST('/api/templates/preview', { body: { body, values: {}, partly: true } })),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

type TemplateAct =
  | { act: 'make'; body: TemplateBody }
  | { act: 'change'; template: Template; body: TemplateBody }
  | { act: 'retire' | 'restore'; template: Template };

function perform(request: TemplateAct): Promise<Template> {
  if (request.act === 'make') return answer(api.POST('/api/templates', { body: request.body }));
  const params = { path: { template_id: request.template.id } };
  if (request.act === 'change') {
    const body = { version: request.template.version, body: request.body };
    return answer(api.PUT('/api/templates/{template_id}', { params, body }));
  }
  return answer(api.POST(`/api/templates/{template_id}/${request.act}`, { params }));
}

/** Makes, changes or retires a template; the list is renewed, also after a refusal. */
export function useTemplateAct() {
  const client = useQueryClient();
  return useMutation({ mutationFn: perform, onSettled: () => client.invalidateQueries({ queryKey: TEMPLATES }) });
}

type SnippetAct =
  { act: 'save'; id: string | null; shortcut: string; text: string; shared: boolean } | { act: 'drop'; id: string };

/** Keeps, changes or drops a snippet. */
export function useSnippetAct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: SnippetAct) => {
      if (request.act === 'drop') {
        return answer(api.DELETE('/api/snippets/{snippet_id}', { params: { path: { snippet_id: request.id } } }));
      }
      const { id, shortcut, text, shared } = request;
      const body = { shortcut, text, shared };
      return id === null
        ? answer(api.POST('/api/snippets', { body }))
        : answer(api.PUT('/api/snippets/{snippet_id}', { params: { path: { snippet_id: id } }, body }));
    },
    onSettled: () => client.invalidateQueries({ queryKey: SNIPPETS }),
  });
}
