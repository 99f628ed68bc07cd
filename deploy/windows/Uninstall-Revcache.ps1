<#
.SYNOPSIS
Puts back what Install-Revcache.ps1 changed on this server.

.DESCRIPTION
Needs an elevated Windows PowerShell 5.1 and the state that the installation left in
ProgramData\Revcache. May be run again. What somebody changed since is left alone, with a warning.
Nothing is changed with -WhatIf.

IgnoreNoRevocationCheck comes back first, if the installation removed it: without revcache NPS
could otherwise authenticate nobody whose CA names no CRL. With -KeepRevocationCheck it stays away.

.EXAMPLE
.\Uninstall-Revcache.ps1 -WhatIf
#>
#Requires -Version 5.1
#Requires -PSEdition Desktop
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium')]
param(
    [switch]$KeepRevocationCheck
)

. (Join-Path $PSScriptRoot 'RevcacheKit.ps1')

function ConvertTo-Certificate([string]$Base64) {
    New-Object Security.Cryptography.X509Certificates.X509Certificate2(
        , [Convert]::FromBase64String($Base64))
}

function Restore-RevocationBypass([hashtable]$State) {
    $key = "registry.$BypassValue"
    if (-not $State.ContainsKey($key)) { return }
    $value = [int]$State[$key]
    if (-not $KeepRevocationCheck) {
        if (-not $PSCmdlet.ShouldProcess("$EapTlsKey\$BypassValue", "Set to $value again")) {
            return
        }
        [void](New-ItemProperty -LiteralPath $EapTlsKey -Name $BypassValue -Value $value `
                -PropertyType DWord -Force)
        Write-Warning ("$BypassValue is $value again: NPS accepts certificates whose revocation " +
            'it cannot check.')
    } elseif (-not $PSCmdlet.ShouldProcess($BypassValue, 'Leave it removed')) {
        return
    }
    $State.Remove($key)
    Save-State $State
}

function Restore-Proxy([hashtable]$State) {
    if (-not $State.ContainsKey('proxy.written')) { return }
    $now = Get-WinHttpProxy
    if ($now.Proxy -ne $State['proxy.written']) {
        Write-Warning "The WinHTTP proxy was changed since (now `"$($now.Proxy)`"): left alone."
    } elseif ($State['proxy.accessType'] -eq 1) {
        if (-not $PSCmdlet.ShouldProcess('WinHTTP', 'Reset the proxy: direct access')) { return }
        Clear-WinHttpProxy
        Write-Output 'WinHTTP proxy: direct access, as before.'
    } else {
        if (-not $PSCmdlet.ShouldProcess('WinHTTP', "Set proxy $($State['proxy.proxy'])")) {
            return
        }
        Set-WinHttpProxy $State['proxy.proxy'] $State['proxy.bypass']
        Write-Output "WinHTTP proxy: $($State['proxy.proxy']), as before."
    }
    if ($WhatIfPreference) { return }
    foreach ($key in @('proxy.written', 'proxy.accessType', 'proxy.proxy', 'proxy.bypass')) {
        $State.Remove($key)
    }
    Save-State $State
}

function Remove-SyncedCrls {
    foreach ($file in @(Get-ChildItem -LiteralPath $StateDirectory -Filter '*.crl' `
                -ErrorAction SilentlyContinue)) {
        $hash = (Get-FileHash -LiteralPath $file.FullName -Algorithm SHA1).Hash
        $result = Invoke-Program $CertutilPath @('-delstore', 'CA', $hash)
        if ($result.ExitCode -ne 0) {
            Write-Warning "The CRL $($file.Name) is no longer in the store CA, or cannot be removed."
        }
        Remove-Item -LiteralPath $file.FullName
    }
}

function Remove-CrlTask([hashtable]$State) {
    if (-not $State.ContainsKey('crlTask')) { return }
    if (-not $PSCmdlet.ShouldProcess($TaskName, 'Remove the scheduled task and its CRLs')) {
        return
    }
    if (Get-ScheduledTask -TaskName $TaskName -ErrorAction SilentlyContinue) {
        Stop-ScheduledTask -TaskName $TaskName
        Unregister-ScheduledTask -TaskName $TaskName -Confirm:$false
    }
    Remove-SyncedCrls
    if (Test-Path -LiteralPath $ProgramDirectory) {
        Assert-Owned $ProgramDirectory
        Remove-Item -LiteralPath $ProgramDirectory -Recurse
    }
    $State.Remove('crlTask')
    Save-State $State
    Write-Output "The task `"$TaskName`" is removed."
}

function Restore-OcspUrl([string]$Key, [hashtable]$State) {
    $storeName, $der, $written, $before = $State[$Key] -split ' '
    $certificate = ConvertTo-Certificate $der
    $store = Open-MachineStore $storeName 'ReadOnly'
    $isThere = Find-StoreCertificate $store $certificate
    $store.Close()
    if (-not $isThere) {
        Write-Output "$($certificate.Subject): no longer in the store, nothing to restore."
    } elseif ((Get-OcspProperty $storeName $certificate) -eq $before) {
        Write-Output "$($certificate.Subject): the OCSP URL is as before."
    } elseif ((Get-OcspProperty $storeName $certificate) -ne $written) {
        Write-Warning "$($certificate.Subject): the OCSP URL was changed since: left alone."
    } else {
        $what = 'Remove the OCSP URL'
        if ($before) { $what = 'Restore the former OCSP URL' }
        if (-not $PSCmdlet.ShouldProcess($certificate.Subject, $what)) { return }
        Set-OcspProperty $storeName $certificate $before
        if ((Get-OcspProperty $storeName $certificate) -ne $before) {
            throw "The OCSP URL of $($certificate.Subject) cannot be restored: gpo.html."
        }
        Write-Output "$($certificate.Subject): the OCSP URL is as before."
    }
    if ($WhatIfPreference) { return }
    $State.Remove($Key)
    Save-State $State
}

function Remove-Trust([string]$Key, [hashtable]$State) {
    $storeName, $der = $State[$Key] -split ' '
    $certificate = ConvertTo-Certificate $der
    if (-not $PSCmdlet.ShouldProcess("LocalMachine\$storeName",
            "Remove $($certificate.Subject)")) { return }
    $store = Open-MachineStore $storeName 'ReadWrite'
    $store.Remove($certificate)
    $store.Close()
    $State.Remove($Key)
    Save-State $State
    Write-Output "$($certificate.Subject): removed from the store $storeName."
}

Assert-Elevated
$State = Read-State
if ($State.Count -eq 0) {
    Write-Output 'Nothing was installed here.'
    exit 0
}
Restore-RevocationBypass $State
Restore-Proxy $State
Remove-CrlTask $State
foreach ($key in @($State.Keys | Where-Object { $_ -like 'ocspUrl.*' })) {
    Restore-OcspUrl $key $State
}
foreach ($key in @($State.Keys | Where-Object { $_ -like 'trusted.*' })) {
    Remove-Trust $key $State
}
& (Join-Path $PSScriptRoot 'Reset-RevocationCache.ps1')
if ($State.Count -eq 0) {
    Remove-Item -LiteralPath $StateDirectory -Recurse
    Write-Output 'This server is as it was before.'
} elseif (-not $WhatIfPreference) {
    Write-Warning "Not everything is restored: $(@($State.Keys) -join ', '). See above."
    exit 1
}
