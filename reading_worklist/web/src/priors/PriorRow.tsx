import { Button } from 'antd';

import type { PriorStudy, WorkitemDetail } from '../api/types';
import { Chip, ModalityMark, StateChip } from '../design/Chip';
import { useSetback } from '../design/useRefusal';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { compare, useComparison } from './comparison';
import { PriorReportView } from './PriorReportView';
import { useOpenPrior } from './queries';

/** One earlier study: when, where, what; its report and its images one key away. */
export function PriorRow({
  item,
  prior,
  open,
  onOpen,
}: {
  item: WorkitemDetail;
  prior: PriorStudy;
  open: boolean;
  onOpen: (open: boolean) => void;
}) {
  const { t, language } = useLanguage();
  const setBack = useSetback();
  const opening = useOpenPrior(item.id);
  const shown = useComparison(item.id)?.prior.study_id === prior.study_id;
  const isEcg = prior.lane === 'ecg';
  const beside = item.lane === prior.lane || prior.lane === null ? item.lane : null;

  const openImages = async (): Promise<void> => {
    if (shown) {
      compare(null);
      return;
    }
    try {
      const opened = await opening.mutateAsync(prior.study_id);
      compare({ workitemId: item.id, prior, url: isEcg ? null : opened.compare_url });
    } catch (error) {
      setBack(error);
    }
  };
  return (
    <li className={`prior${shown ? ' prior-shown' : ''}`}>
      <div className="prior-line">
        <span className="strong">{prior.study_date ?? t('priors.undated')}</span>
        <ModalityMark lane={prior.lane ?? 'imaging'} modalities={prior.modalities} />
        {prior.same_body_part && <Chip tone="blue">{t('priors.samePart')}</Chip>}
        {prior.basis === 'document' && (
          <span title={t('priors.basis.documentExplain')}>
            <Chip tone="amber" hollow>
              {t('priors.basis.document')}
            </Chip>
          </span>
        )}
        {!prior.reported && prior.state !== null && <StateChip state={prior.state} />}
      </div>
      <div className="prior-what" title={prior.description ?? undefined}>
        {prior.description ?? t('worklist.noDescription')}
      </div>
      <div className="quiet small">
        {siteName(language, prior.site)}
        {prior.basis !== 'patient' && ` · ${prior.patient_name}`} ·{' '}
        {t('priors.size', {
          series: prior.series_count,
          n: prior.instance_count,
        })}
      </div>
      <div className="prior-do">
        {beside === null ? null : (
          <Button
            size="small"
            type={shown ? 'default' : 'primary'}
            ghost={!shown}
            loading={opening.isPending}
            aria-pressed={shown}
            onClick={() => void openImages()}
          >
            {t(shown ? 'priors.close' : 'priors.compare')}
          </Button>
        )}
        {prior.reported && (
          <Button size="small" aria-expanded={open} onClick={() => onOpen(!open)}>
            {t(open ? 'priors.hideReport' : 'priors.report')}
          </Button>
        )}
      </div>
      {open && <PriorReportView id={item.id} prior={prior} />}
    </li>
  );
}
