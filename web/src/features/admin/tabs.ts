export const ADMIN_TABS = ["containers", "devices", "queue", "limits", "audit"] as const;
export type AdminTab = (typeof ADMIN_TABS)[number];
