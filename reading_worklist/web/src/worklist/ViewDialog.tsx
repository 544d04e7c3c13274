import { Checkbox, Input, type InputRef, Modal, Select } from 'antd';
import { useRef, useState } from 'react';

import type { ReadingGroup, SavedView, ViewBody, WorklistFilter } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useChangeView } from './queries';

interface ViewDialogProps {
  /** null: a new one. */
  view: SavedView | null;
  question: WorklistFilter;
  /** The place of a new one among the others. */
  position: number;
  groups: readonly ReadingGroup[];
  mayShare: boolean;
  onKept: (views: SavedView[], name: string) => void;
  onClose: () => void;
}

/** Keeps what the list asks now under a name, or changes the name of a view and who sees it. */
export function ViewDialog({ view, question, position, groups, mayShare, onKept, onClose }: ViewDialogProps) {
  const { t, language } = useLanguage();
  const change = useChangeView();
  const [name, setName] = useState(view?.name ?? '');
  const [shared, setShared] = useState(view?.shared ?? false);
  const [group, setGroup] = useState(view?.group?.code ?? '');
  const input = useRef<InputRef>(null);
  const wanted = name.trim();
  const keep = async (): Promise<void> => {
    if (wanted === '' || change.isPending) return;
    const body: ViewBody = {
      name: wanted,
      filter: { ...NOTHING_ASKED, ...(view === null ? question : view.filter) },
      position: view?.position ?? position,
      shared,
      group: shared && group !== '' ? group : null,
    };
    const wish = view === null ? { id: null, body } : { id: view.id, body };
    const views = await change.mutateAsync(wish).catch(() => null);
    if (views === null) return;
    onKept(views, wanted);
    onClose();
  };
  return (
    <Modal
      open
      width={440}
      title={t(view === null ? 'views.save' : 'views.edit')}
      okText={t('app.save')}
      cancelText={t('app.cancel')}
      okButtonProps={{ disabled: wanted === '' }}
      confirmLoading={change.isPending}
      onOk={() => void keep()}
      // The dialog takes the focus itself as it opens.
      afterOpenChange={() => input.current?.focus()}
      onCancel={onClose}
    >
      <label htmlFor="view-name" className="reason-label">
        {t('views.name')}
      </label>
      <Input
        id="view-name"
        ref={input}
        maxLength={60}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onPressEnter={() => void keep()}
      />
      {mayShare && (
        <div className="view-share">
          <Checkbox checked={shared} onChange={(event) => setShared(event.target.checked)}>
            {t('views.share')}
          </Checkbox>
          {shared && (
            <Select
              aria-label={t('views.shareWith')}
              value={group}
              options={[
                { value: '', label: t('views.sharedWithAll') },
                ...groups.map((one) => ({ value: one.code, label: siteName(language, one) })),
              ]}
              onChange={setGroup}
            />
          )}
        </div>
      )}
      {change.isError && <ProblemNotice error={change.error} />}
    </Modal>
  );
}

/** What the server takes for a filter that asks nothing. */
export const NOTHING_ASKED: ViewBody['filter'] = {
  state: [],
  mine: false,
  unclaimed: false,
  group: [],
  priority: [],
  modality: [],
  body_part: [],
  overdue: false,
  escalated: false,
  late_instances: false,
};
