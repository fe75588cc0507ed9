"""Configurations, which is automatic device management: desired properties for all twins that meet a condition.

    content         what a configuration writes into a twin
    configuration   one of them: the request, the record
    configurations  all of a hub: created, changed, deleted; and which twin has been given which
    deployer        keeps the twins in step with conditions and priorities
    direct          content for one device, without a configuration
    trial           what is wrong with conditions and metrics, before they are used
    report          configurations as an operator reads them, with their metrics

A twin is given the content of one configuration: of those that target it, the one with the highest priority, and of
equals the youngest. Source: "Automatic device and module management using Azure IoT Hub" and the service's OpenAPI
description.
"""

from __future__ import annotations

from fwsm.hub.configurations.configuration import Configuration
from fwsm.hub.configurations.configurations import Configurations
from fwsm.hub.configurations.deployer import Deployer
from fwsm.hub.configurations.direct import apply_content
from fwsm.hub.configurations.report import configuration_documents
from fwsm.hub.configurations.trial import query_faults

__all__ = ["Configuration", "Configurations", "Deployer", "apply_content", "configuration_documents", "query_faults"]
