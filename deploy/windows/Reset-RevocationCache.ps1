<#
.SYNOPSIS
Makes CryptoAPI forget the CRLs and OCSP answers that it has, so that it asks anew.

.DESCRIPTION
Run it elevated on each NPS server after `revcache revoke`: Windows keeps an answer that says good
until its nextUpdate, and asks nobody in between. Answers and CRLs that were cached before this
moment count as expired, on disk and in memory, for all services of the machine.

With -RestartNps the service IAS is restarted as well, which ends what NPS holds itself;
authentication pauses for some seconds.

.EXAMPLE
.\Reset-RevocationCache.ps1 -RestartNps
#>
#Requires -Version 5.1
#Requires -PSEdition Desktop
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium')]
param(
    [switch]$RestartNps
)

. (Join-Path $PSScriptRoot 'RevcacheKit.ps1')

Assert-Elevated
if ($PSCmdlet.ShouldProcess('CryptoAPI', 'Treat all cached CRLs and OCSP answers as expired')) {
    $result = Invoke-Program $CertutilPath @('-setreg', 'chain\ChainCacheResyncFiletime', '@now')
    if ($result.ExitCode -ne 0) { throw "certutil did not set the time: $($result.Output)" }
    Write-Output 'Cached CRLs and OCSP answers are forgotten.'
}
if ($RestartNps -and $PSCmdlet.ShouldProcess('IAS', 'Restart the service')) {
    Restart-Service -Name 'IAS'
    Write-Output 'NPS is restarted.'
}
