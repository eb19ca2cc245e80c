"""Presets to choose from."""

from __future__ import annotations

from fastapi import Depends

from api.dependencies import PresetsService, admit
from api.router import Router
from api.schemas.envelope import GUARDED, Listing
from api.schemas.presets import PresetOut

router = Router(prefix="/catalog", tags=["jobs"], dependencies=[Depends(admit)], responses=GUARDED)


@router.get("/presets", summary="Named sets of options to start from")
def list_presets(presets: PresetsService) -> Listing[PresetOut]:
    """A submission names one as `preset`; options that it sets itself win over the preset's."""
    return Listing.whole([PresetOut.from_domain(preset) for preset in presets.list()])
