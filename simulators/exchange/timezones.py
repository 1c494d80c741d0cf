"""GetServerTimeZones: some Windows time zones with their current rules."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.exchange.soap import NS, Call, SoapFault, quoteattr, success

SINCE = "Exchange2010"


@dataclass(frozen=True)
class Change:
    """The beginning of summer or winter time.

    `occurrence`: the number of the Sunday in the month; -1: the last Sunday. `hour`: hours after midnight, local time.
    """

    month: int
    occurrence: int
    hour: int


@dataclass(frozen=True)
class Zone:
    """A time zone. `bias`: UTC minus standard time, in minutes. `summer`, `winter`: None if there is no summer time."""

    name: str
    bias: int
    summer: Change | None = None
    winter: Change | None = None


EUROPE = (Change(3, -1, 2), Change(10, -1, 3))
AMERICA = (Change(3, 2, 2), Change(11, 1, 2))
ZONES = {
    "UTC": Zone("(UTC) Coordinated Universal Time", 0),
    "GMT Standard Time": Zone("(UTC+00:00) Dublin, Edinburgh, Lisbon, London", 0, Change(3, -1, 1), Change(10, -1, 2)),
    "W. Europe Standard Time": Zone("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", -60, *EUROPE),
    "Eastern Standard Time": Zone("(UTC-05:00) Eastern Time (US & Canada)", 300, *AMERICA),
    "Pacific Standard Time": Zone("(UTC-08:00) Pacific Time (US & Canada)", 480, *AMERICA),
    "Tokyo Standard Time": Zone("(UTC+09:00) Osaka, Sapporo, Tokyo", -540),
}


def time_zones(call: Call) -> str:
    """The response message with the requested zones, or with all zones. Raises `SoapFault`."""
    if call.version < SINCE:
        raise SoapFault("ErrorIncorrectSchemaVersion", f"{call.version} has no GetServerTimeZones.")
    named = [element.text or "" for element in call.body.iterfind("m:Ids/t:Id", NS)]
    whole = call.body.get("ReturnFullTimeZoneData", "true") in ("true", "1")
    wanted = {zone_id: zone for zone_id, zone in ZONES.items() if not named or zone_id in named}
    xml = "".join(_definition(zone_id, zone, whole) for zone_id, zone in wanted.items())
    return success("GetServerTimeZones", f"<m:TimeZoneDefinitions>{xml}</m:TimeZoneDefinitions>")


def _definition(zone_id: str, zone: Zone, whole: bool) -> str:
    content = _rules(zone) if whole else ""
    return f"<t:TimeZoneDefinition Id={quoteattr(zone_id)} Name={quoteattr(zone.name)}>{content}</t:TimeZoneDefinition>"


def _rules(zone: Zone) -> str:
    periods = _period(zone.bias, "Standard", "trule:Standard")
    transitions = '<t:Transition><t:To Kind="Period">trule:Standard</t:To></t:Transition>'
    if zone.summer is not None and zone.winter is not None:
        periods += _period(zone.bias - 60, "Daylight", "trule:Daylight")
        transitions = _recurring(zone.summer, "trule:Daylight") + _recurring(zone.winter, "trule:Standard")
    return (
        f'<t:Periods>{periods}</t:Periods><t:TransitionsGroups><t:TransitionsGroup Id="0">{transitions}'
        '</t:TransitionsGroup></t:TransitionsGroups><t:Transitions><t:Transition><t:To Kind="Group">0</t:To>'
        "</t:Transition></t:Transitions>"
    )


def _period(bias: int, name: str, period_id: str) -> str:
    sign, minutes = "-" if bias < 0 else "", abs(bias)
    return f'<t:Period Bias="{sign}PT{minutes // 60}H{minutes % 60}M" Name="{name}" Id="{period_id}"/>'


def _recurring(change: Change, period_id: str) -> str:
    return (
        f'<t:RecurringDayTransition><t:To Kind="Period">{period_id}</t:To><t:TimeOffset>PT{change.hour}H</t:TimeOffset>'
        f"<t:Month>{change.month}</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>"
        f"<t:Occurrence>{change.occurrence}</t:Occurrence></t:RecurringDayTransition>"
    )
