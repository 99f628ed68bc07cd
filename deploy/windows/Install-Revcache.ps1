<#
.SYNOPSIS
Makes this server ask revcache about the certificates of the configured CAs.

.DESCRIPTION
Needs an elevated Windows PowerShell 5.1. May be run again: what is as it should be is left alone.
What was there before is remembered in ProgramData\Revcache\state.json, and Uninstall-Revcache.ps1
puts it back. Nothing is changed with -WhatIf.

 1. An independent OCSP signer is added to the trusted roots of the machine (to the intermediate
    CAs what is not self-signed).
 2. The custom OCSP URL (certificate property 81) is set on each CA certificate: by certutil, and
    where that has no effect, by the programming interface. It is read back either way. The
    supported way for a domain is Group Policy: gpo.html.
 3. The WinHTTP proxy sends plain http through revcache; other schemes and the bypass list stay.
 4. What CryptoAPI has cached is forgotten.

.PARAMETER Skip
Steps to leave out: Signer, OcspUrl, Proxy, Resync.

.PARAMETER CrlTask
Also registers a scheduled task that keeps the genuine CRLs in the machine's store, hourly. Windows
looks at the store before it asks: what `revcache revoke` says of a certificate may then not be
heard until the CRL ends (Cloud PKI: 7 days). Only where the OCSP URL cannot be used.

.PARAMETER RemoveIgnoreNoRevocationCheck
Also removes IgnoreNoRevocationCheck, which makes NPS accept every certificate whose revocation
check cannot be completed. Removed too early it locks everybody out, and left in place a revoked
certificate gets in whenever the check cannot be completed. So it goes only after
Test-Revcache.ps1 has passed with the certificate of -UserCertificate.

.PARAMETER UserCertificate
File of a valid user or computer certificate (.cer) of your CA, without private key.

.EXAMPLE
.\Install-Revcache.ps1 -WhatIf

.EXAMPLE
.\Install-Revcache.ps1 -Skip Proxy

.EXAMPLE
.\Install-Revcache.ps1 -RemoveIgnoreNoRevocationCheck -UserCertificate C:\Temp\anna.cer
#>
#Requires -Version 5.1
#Requires -PSEdition Desktop
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium')]
param(
    [ValidateSet('Signer', 'OcspUrl', 'Proxy', 'Resync')]
    [string[]]$Skip = @(),
    [switch]$CrlTask,
    [switch]$RemoveIgnoreNoRevocationCheck,
    [string]$UserCertificate = ''
)

. (Join-Path $PSScriptRoot 'RevcacheKit.ps1')

function Install-Signer($Trust, [hashtable]$State) {
    $certificate = Read-KitCertificate $Trust.file
    $store = Open-MachineStore $Trust.store 'ReadOnly'
    $present = Find-StoreCertificate $store $certificate
    $store.Close()
    if ($present) {
        Write-Output "Signer $($Trust.file): already in the store $($Trust.store)."
        return
    }
    $what = "$($certificate.Subject) (SHA-256 $($Trust.sha256))"
    if (-not $PSCmdlet.ShouldProcess("LocalMachine\$($Trust.store)", "Trust $what")) { return }
    $State["trusted.$($Trust.file)"] = @($Trust.store, [Convert]::ToBase64String(
            $certificate.RawData)) -join ' '
    Save-State $State
    $store = Open-MachineStore $Trust.store 'ReadWrite'
    $store.Add($certificate)
    $store.Close()
    Write-Output "Signer $($Trust.file): added to the store $($Trust.store)."
}

# Whatever way works: certutil first, since an administrator can do and undo the same by hand.
function Write-OcspProperty($Authority, $Certificate, [string]$Wanted) {
    $inf = Get-KitPath $Authority.inf
    $result = Invoke-Program $CertutilPath @('-f', '-repairstore', $Authority.store,
        $Certificate.Thumbprint, $inf)
    if ((Get-OcspProperty $Authority.store $Certificate) -eq $Wanted) { return 'certutil' }
    Write-Verbose "certutil -repairstore had no effect: $($result.Output)"
    Set-OcspProperty $Authority.store $Certificate $Wanted
    if ((Get-OcspProperty $Authority.store $Certificate) -eq $Wanted) {
        return 'CertSetCertificateContextProperty'
    }
    throw ("The OCSP URL of $($Authority.name) cannot be set here (certutil: $($result.Output)). " +
        'A certificate that Group Policy hands out can only be changed there: gpo.html.')
}

function Install-OcspUrl($Authority, [hashtable]$State) {
    $certificate = Read-KitCertificate $Authority.certificate
    $bytes = [IO.File]::ReadAllBytes((Get-KitPath $Authority.aia))
    $wanted = [Convert]::ToBase64String($bytes)
    $present = Get-OcspProperty $Authority.store $certificate
    if ($present -eq $wanted) {
        Write-Output "$($Authority.name): the OCSP URL is already $($Authority.ocspUrl)."
        return
    }
    $where = "LocalMachine\$($Authority.store): $($certificate.Subject)"
    if (-not $PSCmdlet.ShouldProcess($where, "Set the OCSP URL $($Authority.ocspUrl)")) { return }
    $key = "ocspUrl.$($Authority.name)"
    # What a former installation wrote is not what was there before.
    $before = $present
    if ($State.ContainsKey($key)) { $before = @($State[$key] -split ' ')[3] }
    $State[$key] = @($Authority.store, [Convert]::ToBase64String($certificate.RawData), $wanted,
        $before) -join ' '
    Save-State $State
    $way = Write-OcspProperty $Authority $certificate $wanted
    Write-Output "$($Authority.name): the OCSP URL is now $($Authority.ocspUrl) (by $way)."
}

function Install-CrlTask([hashtable]$State) {
    if (-not $PSCmdlet.ShouldProcess($TaskName, 'Register the scheduled task, hourly')) { return }
    $State['crlTask'] = 'registered'
    Save-State $State
    Initialize-ProtectedDirectory $ProgramDirectory
    # SYSTEM runs these copies: where the kit lies, others may write.
    $names = @('RevcacheKit.ps1', 'Native.cs', 'Sync-RevcacheCrl.ps1', 'kit.json')
    $names += @($Kit.authorities | ForEach-Object { $_.certificate })
    foreach ($name in $names) {
        Copy-Item -LiteralPath (Get-KitPath $name) -Destination $ProgramDirectory -Force
    }
    $xml = Get-Content -LiteralPath (Get-KitPath 'Sync-RevcacheCrl.task.xml') -Raw
    [void](Register-ScheduledTask -TaskName $TaskName -Xml $xml -Force)
    Start-ScheduledTask -TaskName $TaskName
    Write-Output "The task `"$TaskName`" keeps the genuine CRLs in the machine's store."
}

# The entries of a proxy list for other schemes than http; "host:port" alone means all of them.
function Get-OtherSchemes([string]$List) {
    foreach ($entry in @($List -split '[;\s]+')) {
        if (-not $entry) { continue }
        if ($entry -notmatch '^[a-zA-Z]+=') {
            "https=$entry"
        } elseif ($entry -notmatch '^http=') {
            $entry
        }
    }
}

function Install-Proxy([hashtable]$State) {
    $old = Get-WinHttpProxy
    $proxy = @(@("http=$($Kit.proxy)") + @(Get-OtherSchemes $old.Proxy)) -join ';'
    # Requests to revcache itself (the OCSP URL) go directly: it is not its own upstream.
    $bypass = @(@($old.Bypass -split '[;\s]+') + @('<local>', $Kit.host) |
            Where-Object { $_ } | Select-Object -Unique) -join ';'
    if ($old.Proxy -eq $proxy -and $old.Bypass -eq $bypass) {
        Write-Output "WinHTTP proxy: already $proxy."
        return
    }
    if ($Kit.otherDestinations -eq 'deny') {
        Write-Warning ('revcache refuses plain http to hosts that are not in access.destinations, ' +
            'and all of WinHTTP on this machine will use it. If something here fetches other ' +
            'http URLs (Windows Update does), set access.other_destinations = "pass", or run ' +
            'this with -Skip Proxy.')
    }
    $what = "Set proxy `"$proxy`", bypass `"$bypass`" (now `"$($old.Proxy)`", `"$($old.Bypass)`")"
    if (-not $PSCmdlet.ShouldProcess('WinHTTP', $what)) { return }
    if (-not $State.ContainsKey('proxy.written')) {
        $State['proxy.accessType'] = $old.AccessType
        $State['proxy.proxy'] = $old.Proxy
        $State['proxy.bypass'] = $old.Bypass
    }
    $State['proxy.written'] = $proxy
    Save-State $State
    Set-WinHttpProxy $proxy $bypass
    Write-Output "WinHTTP proxy: $proxy, not for $bypass."
}

function Remove-RevocationBypass([hashtable]$State) {
    $present = Get-ItemProperty -LiteralPath $EapTlsKey -Name $BypassValue `
        -ErrorAction SilentlyContinue
    if (-not $present) {
        Write-Output "$($BypassValue): is not set."
        return
    }
    if (-not $UserCertificate) {
        throw '-RemoveIgnoreNoRevocationCheck needs -UserCertificate: the test must pass first.'
    }
    if (-not $PSCmdlet.ShouldProcess("$EapTlsKey\$BypassValue", 'Test, then remove')) { return }
    & (Get-KitPath 'Test-Revcache.ps1') -UserCertificate $UserCertificate
    if ($LASTEXITCODE -ne 0) {
        throw "$BypassValue stays: Test-Revcache.ps1 did not pass (exit code $LASTEXITCODE)."
    }
    $State["registry.$BypassValue"] = [int]$present.$BypassValue
    Save-State $State
    Remove-ItemProperty -LiteralPath $EapTlsKey -Name $BypassValue
    Write-Output "$($BypassValue): removed. NPS now refuses what it cannot check."
}

Assert-Elevated
Assert-KitIntact
$Kit = Read-Kit
$State = Read-State
if ($Skip -notcontains 'Signer') {
    foreach ($authority in $Kit.authorities) {
        foreach ($trust in @($authority.signer.trust)) { Install-Signer $trust $State }
    }
}
if ($Skip -notcontains 'OcspUrl') {
    foreach ($authority in $Kit.authorities) { Install-OcspUrl $authority $State }
}
if ($CrlTask) {
    if (-not @($Kit.authorities | Where-Object { $_.crlUrl }).Count) {
        throw '-CrlTask: no CRL is configured for any of these CAs.'
    }
    Install-CrlTask $State
}
if ($Skip -notcontains 'Proxy') { Install-Proxy $State }
if ($Skip -notcontains 'Resync') { & (Get-KitPath 'Reset-RevocationCache.ps1') }
if ($RemoveIgnoreNoRevocationCheck) {
    Remove-RevocationBypass $State
} else {
    Write-Output 'Next: Test-Revcache.ps1, then -RemoveIgnoreNoRevocationCheck. See README.txt.'
}
